//! The models of given parameters. Expected numbers were computed with 40 digits (`mpmath`) by the
//! equations as printed, where the code goes another way.

use super::super::{
    BgNbd, Buying, ChurnSignal, FitError, GammaGamma, Horizon, Purchases, Spent, Summary,
    lifetime_value,
};
use super::assert_near;

const CDNOW: BgNbd = BgNbd {
    r: 0.2426,
    alpha: 4.4135,
    a: 0.7929,
    b: 2.4258,
};
const TIGHT: f64 = 1e-11;

fn customer(frequency: u32, recency: u32, age: u32) -> Buying {
    Buying::new(frequency, recency, age).expect("possible")
}

fn once_a_day(days: &[i32], dollars: i128) -> Purchases {
    days.iter()
        .map(|day| {
            (
                *day,
                Spent {
                    micros: dollars * 1_000_000,
                    purchases: 1,
                },
            )
        })
        .collect()
}

#[test]
fn what_a_customer_will_buy_and_whether_still_there_is_as_the_equations_say() {
    for ((x, t_x, age, weeks), purchases, alive) in [
        (
            (2, 213, 272, 39.0),
            1.225_998_820_439_665,
            0.726_619_146_395_591,
        ),
        ((0, 0, 272, 39.0), 0.194_798_145_361_156, 1.0),
        (
            (1, 12, 272, 1.0),
            0.006_069_551_168_141_58,
            0.212_383_564_869_492,
        ),
        (
            (26, 270, 272, 52.0),
            22.134_262_028_208_1,
            0.966_743_691_376_89,
        ),
        (
            (300, 1000, 1005, 520.0),
            526.559_132_258_184,
            0.988_880_557_867_05,
        ),
        (
            (300, 600, 1005, 520.0),
            4.429_793_773_492_99e-60,
            8.319_173_801_395_32e-63,
        ),
    ] {
        let customer = customer(x, t_x, age);
        assert_near(
            CDNOW.expected_purchases_of(customer, weeks),
            purchases,
            TIGHT,
        );
        assert_near(CDNOW.probability_alive(customer), alive, TIGHT);
    }
}

#[test]
fn what_a_new_customer_will_buy_is_as_the_equation_says() {
    for (weeks, purchases) in [
        (1.0, 0.053_186_655_949_239_2),
        (39.0, 1.195_051_878_409_5),
        (78.0, 1.858_021_758_644_15),
    ] {
        assert_near(CDNOW.expected_purchases(weeks), purchases, TIGHT);
    }
    // A hundred years: the series converges slowly.
    assert_near(CDNOW.expected_purchases(5200.0), 12.136_866_180_059_1, 1e-9);
    assert_near(CDNOW.expected_purchases(0.0), 0.0, 0.0);
}

#[test]
fn parameters_at_which_the_printed_equations_divide_by_zero_are_no_exception() {
    let model = |a: f64, b: f64| BgNbd {
        r: 0.5,
        alpha: 2.0,
        a,
        b,
    };
    for (model, again, never) in [
        (
            model(1.7, 3.0),
            0.760_668_396_763_178,
            0.513_288_604_384_019,
        ),
        (model(0.2, 0.3), 2.458_406_903_664_28, 0.529_324_399_815_296),
        (model(1.0, 3.0), 1.292_234_251_686_58, 0.558_375_211_732_383),
    ] {
        assert_near(
            model.expected_purchases_of(customer(3, 70, 140), 30.0),
            again,
            1e-9,
        );
        assert_near(
            model.expected_purchases_of(customer(0, 0, 140), 30.0),
            never,
            1e-9,
        );
    }
    assert!(
        model(0.5, 0.5).expected_purchases(10.0).is_finite(),
        "a + b = 1"
    );
}

/// Where customers hardly differ in how they go, `a` is large, and the series of the equation would
/// overflow. The numbers are of Simpson's rule with 400,000 steps over p.
#[test]
fn what_is_expected_is_finite_where_customers_hardly_differ() {
    let model = BgNbd {
        r: 0.75,
        alpha: 3.6,
        a: 9110.0,
        b: 162_741.0,
    };
    assert_near(
        model.expected_purchases_of(customer(8, 56, 117), 52.14),
        1.485_850_724_188_48,
        1e-9,
    );
    assert_near(
        model.expected_purchases_of(customer(0, 0, 117), 52.14),
        1.721_177_986_040_48,
        1e-9,
    );
    let model = BgNbd {
        r: 0.2426,
        alpha: 4.4135,
        a: 500.0,
        b: 900.0,
    };
    assert_near(
        model.expected_purchases_of(customer(2, 210, 266), 520.0),
        1.453_567_389_776_11,
        1e-9,
    );
}

#[test]
fn numbers_that_no_purchases_come_to_are_refused() {
    for (frequency, recency, age) in [(1, 8, 7), (3, 2, 7), (0, 1, 7), (1, 0, 7)] {
        assert!(
            Buying::new(frequency, recency, age).is_err(),
            "{frequency} {recency} {age}"
        );
    }
    let refused = Buying::new(1, 8, 7)
        .expect_err("recency beyond age")
        .to_string();
    assert!(
        refused.starts_with("frequency 1, recency 8 days, age 7 days: "),
        "{refused}"
    );
}

#[test]
fn a_population_in_which_nobody_is_ever_gone_is_fitted_nevertheless() {
    // Everybody buys every week to the end: that tells nothing of who would be gone.
    let fit =
        BgNbd::fit([(customer(40, 280, 280), 50), (customer(20, 140, 140), 50)]).expect("a fit");
    let regular = customer(40, 280, 280);
    assert!(fit.model.probability_alive(regular) > 0.99, "{fit:?}");
    assert_near(fit.model.expected_purchases_of(regular, 10.0), 10.0, 0.05);
}

#[test]
fn a_summary_knows_only_what_was_bought_by_its_end() {
    let purchases = once_a_day(&[0, 10, 14, 40], 5);
    assert_eq!(purchases.summary(-1), None);
    let once = purchases.summary(9).expect("bought once");
    assert_eq!(
        (once.buying, once.monetary_value, once.median_gap),
        (customer(0, 0, 9), None, None)
    );
    let thrice = purchases.summary(20).expect("bought thrice");
    assert_eq!(
        (thrice.buying, thrice.first_day, thrice.last_day),
        (customer(2, 14, 20), 0, 14)
    );
    assert_eq!(
        (thrice.monetary_value, thrice.median_gap),
        (Some(5.0), Some(7.0))
    );
    assert_eq!(purchases.summary(40).expect("all").median_gap, Some(10.0));
}

#[test]
fn all_purchases_of_a_day_are_one_and_a_day_without_is_none() {
    let spent = |dollars: i128, purchases| Spent {
        micros: dollars * 1_000_000,
        purchases,
    };
    let days = [
        (3, spent(2, 1)),
        (0, spent(9, 1)),
        (3, spent(4, 2)),
        (5, spent(0, 0)),
    ];
    let summary = Purchases::from_iter(days)
        .summary(10)
        .expect("something was bought");
    assert_eq!(
        (summary.buying, summary.monetary_value),
        (customer(1, 3, 10), Some(6.0))
    );
}

#[test]
fn days_since_the_last_purchase_are_measured_by_the_customers_own_gaps() {
    let summary = once_a_day(&[0, 10, 14, 40], 5).summary(65).expect("bought");
    let signal = ChurnSignal::of(&summary, Some(&CDNOW));
    assert_eq!(
        (signal.days_since_last, signal.gaps_since_last),
        (25, Some(2.5))
    );
    assert_eq!(
        signal.probability_alive,
        Some(CDNOW.probability_alive(summary.buying))
    );
    let once = once_a_day(&[0], 5).summary(65).expect("bought");
    let signal = ChurnSignal::of(&once, None);
    assert_eq!(
        (
            signal.probability_alive,
            signal.days_since_last,
            signal.gaps_since_last
        ),
        (None, 65, None)
    );
}

#[test]
fn spending_without_a_mean_is_not_expected() {
    let summary: Summary = once_a_day(&[0, 10], 5).summary(20).expect("bought");
    let spending = GammaGamma {
        p: 2.0,
        q: 1.0,
        v: 3.0,
    };
    assert_eq!(
        (spending.mean_spend(), spending.expected_spend(&summary)),
        (None, None)
    );
    assert_eq!(
        lifetime_value(&CDNOW, &spending, &summary, Horizon::months(12, 0.01)),
        None
    );
}

#[test]
fn customers_whose_repeat_purchases_came_to_nothing_say_nothing_of_spending() {
    let worth = |dollars: i128| once_a_day(&[0, 10], dollars).summary(20).expect("bought");
    let mut customers: Vec<Summary> = (1..=40).map(worth).collect();
    let fit = GammaGamma::fit(&customers).expect("a fit");
    customers.extend([
        worth(0),
        worth(-5),
        once_a_day(&[0], 7).summary(20).expect("bought"),
    ]);
    assert_eq!(GammaGamma::fit(&customers), Ok(fit));
    assert_eq!(fit.customers, 40);
}

#[test]
fn amounts_without_a_mean_are_no_model_and_predict_nothing() {
    let worth = |dollars: i128| once_a_day(&[0, 10], dollars).summary(20).expect("bought");
    let mut customers: Vec<Summary> = (1..=40).map(worth).collect();
    customers.push(worth(100_000_000_000_000_000_000));
    assert_eq!(GammaGamma::fit(&customers), Err(FitError::NoMean));
}

#[test]
fn no_spend_is_expected_where_repeat_purchases_came_to_nothing() {
    let worth = |dollars: i128| once_a_day(&[0, 10], dollars).summary(20).expect("bought");
    let customers: Vec<Summary> = (1..=40).map(worth).collect();
    let model = GammaGamma::fit(&customers).expect("a fit").model;
    assert!(model.expected_spend(&worth(5)).is_some());
    for nothing in [0, -5] {
        assert_eq!(model.expected_spend(&worth(nothing)), None);
    }
}

#[test]
fn a_discount_makes_later_purchases_worth_less() {
    let summary = once_a_day(&[0, 10], 5).summary(20).expect("bought");
    let spending = GammaGamma {
        p: 6.25,
        q: 3.74,
        v: 15.44,
    };
    let value = |months, discount| {
        lifetime_value(
            &CDNOW,
            &spending,
            &summary,
            Horizon::months(months, discount),
        )
        .expect("a mean")
    };
    let expected = CDNOW.expected_purchases_of(summary.buying, 12.0 * 4.345);
    assert_near(
        value(12, 0.0),
        expected * spending.expected_spend(&summary).expect("a mean"),
        1e-12,
    );
    assert_near(value(1, 0.25) * 1.25, value(1, 0.0), 1e-12);
    assert!(value(12, 0.01) < value(12, 0.0));
    assert_near(value(0, 0.01), 0.0, 0.0);
}
