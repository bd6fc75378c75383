//! What customers answer when they are asked, from counts by score.
//!
//! Scores are whole numbers on a scale. A score off the scale is refused, never left out, as shares
//! of the rest would look like shares of all.

use serde::{Deserialize, Serialize};

use super::{Scores, Share, float, ratio};

/// From which score to which a question is answered. Higher is better.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Scale {
    min: i64,
    max: i64,
}

/// Why scores cannot be counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SurveyError {
    /// A scale without two scores.
    #[error("a scale from {min} to {max}: the least score must be below the greatest")]
    EmptyScale {
        /// The least score.
        min: i64,
        /// The greatest.
        max: i64,
    },
    /// A score off its scale.
    #[error("score {score} is not from {min} to {max}")]
    OffScale {
        /// The score.
        score: i64,
        /// The least score.
        min: i64,
        /// The greatest.
        max: i64,
    },
}

impl Scale {
    /// How likely are you to recommend us?
    pub const NPS: Self = Self { min: 0, max: 10 };
    /// How satisfied are you?
    pub const CSAT: Self = Self { min: 1, max: 5 };
    /// How easy was it?
    pub const CES: Self = Self { min: 1, max: 7 };

    /// A scale of one's own.
    ///
    /// # Errors
    /// [`SurveyError::EmptyScale`].
    pub fn new(min: i64, max: i64) -> Result<Self, SurveyError> {
        if min < max {
            Ok(Self { min, max })
        } else {
            Err(SurveyError::EmptyScale { min, max })
        }
    }

    /// The least score.
    #[must_use]
    pub fn min(self) -> i64 {
        self.min
    }

    /// The greatest.
    #[must_use]
    pub fn max(self) -> i64 {
        self.max
    }

    /// Whether a score is on it.
    #[must_use]
    pub fn has(self, score: i64) -> bool {
        (self.min..=self.max).contains(&score)
    }

    fn check(self, score: i64) -> Result<(), SurveyError> {
        let Self { min, max } = self;
        if self.has(score) {
            Ok(())
        } else {
            Err(SurveyError::OffScale { score, min, max })
        }
    }

    /// A score as it is on another scale: ends are ends, and what lies between is linear.
    fn onto(self, other: Self, score: f64) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "the ends of scales are small")]
        let [least, greatest, start, end] =
            [self.min, self.max, other.min, other.max].map(|end| end as f64);
        start + (score - least) / (greatest - least) * (end - start)
    }

    /// Scores as they are on another scale.
    fn normal(
        self,
        other: Self,
        counts: impl IntoIterator<Item = (i64, u64)>,
    ) -> Result<Vec<(f64, u64)>, SurveyError> {
        let onto = |(score, count): (i64, u64)| {
            self.check(score)?;
            #[expect(clippy::cast_precision_loss, reason = "scores are small")]
            let score = score as f64;
            Ok((self.onto(other, score), count))
        };
        counts.into_iter().map(onto).collect()
    }

    /// Scores that lie between whole ones, as they are on another scale.
    fn fractions(self, other: Self, scores: &Scores) -> impl Iterator<Item = (f64, u64)> {
        let fractions = scores.fractions();
        fractions.map(move |(score, count)| (self.onto(other, score), count))
    }
}

/// What a score from 0 to 10 says of a customer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NpsClass {
    /// 0 to 6.
    Detractor,
    /// 7 and 8.
    Passive,
    /// 9 and 10.
    Promoter,
}

impl NpsClass {
    /// Of a score.
    ///
    /// # Errors
    /// [`SurveyError::OffScale`]: it is not from 0 to 10.
    pub fn of(score: i64) -> Result<Self, SurveyError> {
        Scale::NPS.check(score)?;
        Ok(match score {
            ..=6 => Self::Detractor,
            7..=8 => Self::Passive,
            _ => Self::Promoter,
        })
    }
}

/// Net promoter score.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Nps {
    /// Percentage of promoters less percentage of detractors, from −100 to 100.
    pub score: f64,
    /// How many answered 9 or 10.
    pub promoters: u64,
    /// How many answered 7 or 8.
    pub passives: u64,
    /// How many answered 0 to 6.
    pub detractors: u64,
}

/// Customer satisfaction.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Csat {
    /// Share of 4 and above on the scale from 1 to 5, from 0 to 1.
    pub score: f64,
    /// Mean on the scale from 1 to 5.
    pub mean: f64,
    /// How many of how many are satisfied.
    pub satisfied: Share,
}

/// Customer effort score.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Ces {
    /// Mean on the scale from 1 to 7; 7 is least effort.
    pub score: f64,
    /// How many answered.
    pub responses: u64,
}

/// The net promoter score of counts by score from 0 to 10; none where nobody answered.
///
/// # Examples
/// ```
/// use profile_core::analytics::nps;
///
/// let answer = nps([(10, 5), (8, 2), (3, 3)]).expect("on the scale").expect("answers");
/// assert_eq!((answer.score, answer.promoters, answer.passives), (20.0, 5, 2));
/// assert!(nps([(11, 1)]).is_err());
/// ```
///
/// Source: F. Reichheld, "The one number you need to grow", Harvard Business Review 81 (2003).
///
/// # Errors
/// [`SurveyError::OffScale`].
pub fn nps(counts: impl IntoIterator<Item = (i64, u64)>) -> Result<Option<Nps>, SurveyError> {
    let (mut promoters, mut passives, mut detractors) = (0_u64, 0_u64, 0_u64);
    for (score, count) in counts {
        match NpsClass::of(score)? {
            NpsClass::Promoter => promoters += count,
            NpsClass::Passive => passives += count,
            NpsClass::Detractor => detractors += count,
        }
    }
    let all = promoters + passives + detractors;
    let percent = |part: u64| ratio(part, all).map(|ratio| 100.0 * ratio);
    Ok(percent(promoters)
        .zip(percent(detractors))
        .map(|(for_us, against)| Nps {
            score: for_us - against,
            promoters,
            passives,
            detractors,
        }))
}

/// The satisfaction told by counts by score; none where nobody answered. Scores on another scale
/// than 1 to 5 are brought onto it linearly.
///
/// # Errors
/// [`SurveyError::OffScale`].
pub fn csat(
    counts: impl IntoIterator<Item = (i64, u64)>,
    scale: Scale,
) -> Result<Option<Csat>, SurveyError> {
    let normal = scale.normal(Scale::CSAT, counts)?;
    Ok(satisfaction(normal))
}

/// The same of scores of which some were brought onto the scale, and lie between.
///
/// # Errors
/// [`SurveyError::OffScale`].
pub fn csat_of(scores: &Scores, scale: Scale) -> Result<Option<Csat>, SurveyError> {
    let normal = scale.normal(Scale::CSAT, scores.iter())?;
    let between = scale.fractions(Scale::CSAT, scores);
    Ok(satisfaction(normal.into_iter().chain(between)))
}

fn satisfaction(scores: impl IntoIterator<Item = (f64, u64)>) -> Option<Csat> {
    let (mut satisfied, mut sum) = (Share::default(), 0.0);
    for (normal, count) in scores {
        satisfied.whole += count;
        satisfied.part += if normal >= SATISFIED { count } else { 0 };
        sum += normal * float(count);
    }
    satisfied.ratio().map(|score| Csat {
        score,
        mean: sum / float(satisfied.whole),
        satisfied,
    })
}

/// Who answers this or more on the scale from 1 to 5 is satisfied.
const SATISFIED: f64 = 4.0;

/// The effort told by counts by score; none where nobody answered. Scores on another scale than 1
/// to 7 are brought onto it linearly.
///
/// Source: M. Dixon, K. Freeman, N. Toman, "Stop trying to delight your customers", Harvard
/// Business Review 88 (2010); the scale from 1 to 7 is that of version 2.0 (CEB, 2013).
///
/// # Errors
/// [`SurveyError::OffScale`].
pub fn ces(
    counts: impl IntoIterator<Item = (i64, u64)>,
    scale: Scale,
) -> Result<Option<Ces>, SurveyError> {
    Ok(effort(scale.normal(Scale::CES, counts)?))
}

/// The same of scores of which some were brought onto the scale, and lie between.
///
/// # Errors
/// [`SurveyError::OffScale`].
pub fn ces_of(scores: &Scores, scale: Scale) -> Result<Option<Ces>, SurveyError> {
    let normal = scale.normal(Scale::CES, scores.iter())?;
    let between = scale.fractions(Scale::CES, scores);
    Ok(effort(normal.into_iter().chain(between)))
}

fn effort(scores: impl IntoIterator<Item = (f64, u64)>) -> Option<Ces> {
    let (mut responses, mut sum) = (0_u64, 0.0);
    for (normal, count) in scores {
        responses += count;
        sum += normal * float(count);
    }
    (responses > 0).then(|| Ces {
        score: sum / float(responses),
        responses,
    })
}
