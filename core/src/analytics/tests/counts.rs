//! What follows from counts by definition.

use std::collections::BTreeMap;

use super::super::{
    FirstContact, NpsClass, Quintiles, RfmScale, RfmValues, Scale, Share, SurveyError, ces,
    contacts_per_order, csat, nps,
};
use super::assert_near;

fn values(days_since_last: u32, purchases: u64, micros: i128) -> RfmValues {
    RfmValues {
        days_since_last,
        purchases,
        micros,
    }
}

#[test]
fn each_fifth_of_a_population_has_a_score_of_its_own() {
    let limits = Quintiles::of((1..=10).rev().collect()).expect("somebody");
    let scores: Vec<u8> = (1..=10).map(|value| limits.score(value)).collect();
    assert_eq!(scores, [1, 1, 2, 2, 3, 3, 4, 4, 5, 5]);
    assert_eq!(
        (limits.score(-7), limits.score(700)),
        (1, 5),
        "also for those who came later"
    );
}

#[test]
fn equal_values_have_equal_scores() {
    // Seven of ten bought once.
    let limits = Quintiles::of(vec![1, 1, 1, 1, 1, 1, 1, 2, 3, 9]).expect("somebody");
    assert_eq!([1, 2, 3, 9].map(|value| limits.score(value)), [1, 4, 5, 5]);
    let all_equal = Quintiles::of(vec![4; 10]).expect("somebody");
    assert_eq!(all_equal.score(4), 1);
}

#[test]
fn who_bought_most_recently_most_often_and_most_has_the_highest_scores() {
    let population: Vec<RfmValues> = (1..=5)
        .map(|n| values(100 - n, n.into(), i128::from(n) * 10))
        .collect();
    let scale = RfmScale::of(&population).expect("somebody");
    let scores: Vec<String> = population
        .iter()
        .map(|one| scale.scores(*one).to_string())
        .collect();
    assert_eq!(scores, ["111", "222", "333", "444", "555"]);
    assert_eq!(scale.scores(values(95, 1, 30)).to_string(), "513");
    assert_eq!(RfmScale::of(&[]), None);
}

#[test]
fn nps_is_the_share_of_promoters_less_that_of_detractors() {
    let score = nps([(10, 3), (9, 2), (8, 1), (7, 1), (6, 2), (0, 1)])
        .expect("on the scale")
        .expect("answers");
    assert_eq!(
        (score.promoters, score.passives, score.detractors),
        (5, 2, 3)
    );
    assert_near(score.score, 20.0, 1e-12);
    let all = |value| {
        nps([(value, 4)])
            .expect("on the scale")
            .expect("answers")
            .score
    };
    assert_near(all(0), -100.0, 1e-12);
    assert_near(all(8), 0.0, 0.0);
    assert_near(all(10), 100.0, 1e-12);
}

#[test]
fn a_customer_is_of_the_class_of_the_latest_score() {
    let classes: Vec<_> = [6, 7, 8, 9]
        .map(NpsClass::of)
        .into_iter()
        .map(|class| class.expect("on the scale"))
        .collect();
    assert_eq!(
        classes,
        [
            NpsClass::Detractor,
            NpsClass::Passive,
            NpsClass::Passive,
            NpsClass::Promoter
        ]
    );
}

#[test]
fn csat_is_the_share_of_the_satisfied_beside_the_mean() {
    let score = csat([(5, 2), (4, 1), (3, 0), (1, 1)], Scale::CSAT)
        .expect("on the scale")
        .expect("answers");
    assert_eq!(score.satisfied, Share { part: 3, whole: 4 });
    assert_near(score.score, 0.75, 1e-12);
    assert_near(score.mean, 3.75, 1e-12);
}

#[test]
fn scores_on_other_scales_are_brought_onto_the_usual_one_linearly() {
    let scale = Scale::new(0, 100).expect("a scale");
    let satisfied = csat([(75, 1), (74, 1), (0, 2)], scale)
        .expect("on the scale")
        .expect("answers");
    assert_eq!(satisfied.satisfied, Share { part: 1, whole: 4 });
    assert_near(satisfied.mean, (4.0 + 3.96 + 1.0 + 1.0) / 4.0, 1e-12);
    let effort = |counts, scale| {
        ces(counts, scale)
            .expect("on the scale")
            .expect("answers")
            .score
    };
    assert_near(effort([(7, 1), (5, 3)], Scale::CES), 5.5, 1e-12);
    assert_near(effort([(5, 1), (3, 1)], Scale::CSAT), 5.5, 1e-12);
    assert_near(
        effort([(-2, 1), (2, 1)], Scale::new(-2, 2).expect("a scale")),
        4.0,
        1e-12,
    );
}

#[test]
fn where_nobody_answered_there_is_no_score() {
    assert_eq!(nps([(10, 0)]), Ok(None));
    assert_eq!(csat([], Scale::CSAT), Ok(None));
    assert_eq!(ces([(4, 0)], Scale::CES), Ok(None));
}

#[test]
fn a_score_off_its_scale_is_refused_with_the_scale() {
    let refused = nps([(10, 1), (11, 1)]).expect_err("11 is too much");
    assert_eq!(refused.to_string(), "score 11 is not from 0 to 10");
    assert_eq!(
        csat([(0, 1)], Scale::CSAT),
        Err(SurveyError::OffScale {
            score: 0,
            min: 1,
            max: 5
        })
    );
    assert_eq!(
        ces([(8, 1)], Scale::CES),
        Err(SurveyError::OffScale {
            score: 8,
            min: 1,
            max: 7
        })
    );
    assert_eq!(
        Scale::new(5, 5),
        Err(SurveyError::EmptyScale { min: 5, max: 5 })
    );
}

fn contacts(counts: &[(i32, u64)], today: i32) -> (u64, u64, u64) {
    let counts: BTreeMap<i32, u64> = counts.iter().copied().collect();
    let FirstContact {
        resolved,
        undecided,
    } = FirstContact::of(&counts, today);
    (resolved.part, resolved.whole, undecided)
}

#[test]
fn a_contact_that_another_follows_within_seven_days_resolved_nothing() {
    assert_eq!(contacts(&[(0, 1), (8, 1)], 100), (2, 2, 0));
    assert_eq!(contacts(&[(0, 1), (7, 1)], 100), (1, 2, 0));
    assert_eq!(contacts(&[(0, 1), (5, 1), (10, 1)], 100), (1, 3, 0));
}

#[test]
fn contacts_of_one_day_follow_each_other() {
    assert_eq!(contacts(&[(0, 2), (50, 1)], 100), (1, 3, 0));
}

#[test]
fn contacts_younger_than_seven_days_are_undecided() {
    assert_eq!(contacts(&[(0, 1)], 6), (0, 0, 1));
    assert_eq!(contacts(&[(0, 1)], 7), (1, 1, 0));
    assert_eq!(
        contacts(&[(0, 1), (3, 2), (90, 1)], 9),
        (0, 1, 2),
        "and what comes after today is not there yet"
    );
}

#[test]
fn shares_of_customers_add_up_to_that_of_all() {
    let all: Share = [
        Share { part: 1, whole: 1 },
        Share { part: 0, whole: 3 },
        Share::default(),
    ]
    .into_iter()
    .sum();
    assert_eq!(all.ratio(), Some(0.25));
    assert_eq!(Share::default().ratio(), None);
    assert_eq!(
        (contacts_per_order(3, 2), contacts_per_order(3, 0)),
        (Some(1.5), None)
    );
}
