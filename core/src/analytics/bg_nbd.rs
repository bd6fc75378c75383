//! BG/NBD: how often customers buy, and when they are gone.
//!
//! While a customer is there, purchases come at random at a rate of the customer's own; after each
//! the customer may be gone for good, with a probability of the customer's own. Rates follow a
//! gamma distribution (`r`, `alpha`) over customers, probabilities a beta distribution (`a`, `b`).
//! That a customer is gone is never seen, only ever more likely.
//!
//! Source: P. Fader, B. Hardie, K. L. Lee, "Counting your customers the easy way: an alternative to
//! the Pareto/NBD model", Marketing Science 24 (2005); equations by their numbers there. Time is in
//! weeks, as in the paper.

use std::collections::BTreeMap;

use libm::lgamma;
use serde::{Deserialize, Serialize};

use super::minimise::minimise;
use super::{Buying, Fit, FitError, MIN_REPEATERS, float};

/// The model. All parameters are above zero.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct BgNbd {
    /// Shape of the distribution of purchase rates.
    pub r: f64,
    /// Its rate, in weeks.
    pub alpha: f64,
    /// How much speaks for being gone after a purchase.
    pub a: f64,
    /// How much speaks against.
    pub b: f64,
}

/// Parameters are looked for between e^-12 and e^12. Where a population tells nothing of one
/// (nobody was ever gone), the likelihood grows towards a border without end.
const MAX_LN: f64 = 12.0;
/// Terms of a series are added until they are smaller than this part of the sum, and no more than
/// so many.
const NEGLIGIBLE: f64 = 1e-15;
const MAX_TERMS: u32 = 200_000;
/// Terms that grow beyond e to this are not added.
const MAX_EXPONENT: f64 = 300.0;
/// A density of e to less than this below its greatest counts for nothing.
const NEGLIGIBLE_EXPONENT: f64 = 45.0;
const QUADRATURE_STEPS: u32 = 512;

/// ln(1 + e^u), for any u.
fn softplus(u: f64) -> f64 {
    u.max(0.0) + (-u.abs()).exp().ln_1p()
}

impl BgNbd {
    /// The model under which a population is most likely: customers by how they bought, and how
    /// many bought like that. The order makes no difference.
    ///
    /// # Errors
    /// [`FitError`].
    pub fn fit(customers: impl IntoIterator<Item = (Buying, u64)>) -> Result<Fit<Self>, FitError> {
        let mut counts: BTreeMap<Buying, u64> = BTreeMap::new();
        for (buying, count) in customers {
            *counts.entry(buying).or_default() += count;
        }
        let found = counts
            .iter()
            .filter(|(buying, _)| buying.frequency() > 0)
            .map(|(_, count)| count)
            .sum();
        if found < MIN_REPEATERS {
            return Err(FitError::TooFew { found });
        }
        let population = Population::of(&counts);
        let loss = |ln: &[f64; 4]| {
            if ln.iter().any(|ln| ln.abs() > MAX_LN) {
                return f64::INFINITY;
            }
            -population.ln_likelihood(&Self::from_ln(ln)) / population.weight
        };
        let (ln, loss) = minimise([0.0, 1.0, 0.0, 0.0], loss).ok_or(FitError::Diverged)?;
        Ok(Fit {
            model: Self::from_ln(&ln),
            customers: counts.values().sum(),
            ln_likelihood: -loss * population.weight,
        })
    }

    fn from_ln(ln: &[f64; 4]) -> Self {
        let [r, alpha, a, b] = ln.map(f64::exp);
        Self { r, alpha, a, b }
    }

    /// The natural logarithm of the likelihood of how a customer bought: equation 6.
    #[must_use]
    pub fn ln_likelihood(&self, customer: Buying) -> f64 {
        Population::of(&BTreeMap::from([(customer, 1)])).ln_likelihood(self)
    }

    /// How probable it is that the customer still buys, from 0 to 1. Whoever bought once only is
    /// taken to be there, as the model lets customers go after repeat purchases only.
    ///
    /// Source: P. Fader, B. Hardie, "Computing P(alive) using the BG/NBD model" (2008),
    /// <http://www.brucehardie.com/notes/021/>, equation 2.
    #[must_use]
    pub fn probability_alive(&self, customer: Buying) -> f64 {
        1.0 / (1.0 + self.odds_gone(customer))
    }

    fn odds_gone(&self, customer: Buying) -> f64 {
        if customer.frequency() == 0 {
            return 0.0;
        }
        let x = f64::from(customer.frequency());
        let elapsed =
            ((self.alpha + customer.age_weeks()) / (self.alpha + customer.recency_weeks())).ln();
        self.a / (self.b + x - 1.0) * ((self.r + x) * elapsed).exp()
    }

    /// How many repeat purchases a customer of whom nothing is known makes in so many weeks after
    /// the first: equation 9.
    #[must_use]
    pub fn expected_purchases(&self, weeks: f64) -> f64 {
        self.expected_if_alive(0.0, 0.0, weeks)
    }

    /// How many more purchases this customer makes in so many weeks from the end of the summary:
    /// equation 10.
    #[must_use]
    pub fn expected_purchases_of(&self, customer: Buying, weeks: f64) -> f64 {
        let if_alive =
            self.expected_if_alive(f64::from(customer.frequency()), customer.age_weeks(), weeks);
        if_alive / (1.0 + self.odds_gone(customer))
    }

    /// Equation 10 without its denominator; equation 9 is the same of nobody in particular.
    ///
    /// Both divide by a − 1 what vanishes there, and their hypergeometric function overflows for
    /// frequent buyers. By Euler's transformation (Abramowitz and Stegun 15.3.3) the bracket is 1 −
    /// y^(a−1) F(a + b − 1 − r, a − 1; a + b + x − 1; 1 − y) with y = (alpha + T) / (alpha + T +
    /// t). F less its first term has a factor a − 1, which is divided out here term by term, as is
    /// the factor a + b + x − 1.
    fn expected_if_alive(&self, x: f64, age: f64, weeks: f64) -> f64 {
        let Self { r, alpha, a, b } = *self;
        if weeks <= 0.0 {
            return 0.0;
        }
        let ln_y = -(weeks / (alpha + age)).ln_1p();
        if (1.0 - a) * ln_y > MAX_EXPONENT {
            return self.expected_by_quadrature(x, weeks / (alpha + age));
        }
        let z = weeks / (alpha + age + weeks);
        let (upper, lower, excess) = (a + b - 1.0 - r, a + b + x - 1.0, a - 1.0);
        let mut term = upper * z;
        let mut series = term;
        for n in 1..MAX_TERMS {
            let n = f64::from(n);
            term *= (upper + n) * (excess + n) / ((lower + n) * (n + 1.0)) * z;
            series += term;
            if term.abs() <= NEGLIGIBLE * series.abs() {
                break;
            }
        }
        let growth = if excess == 0.0 {
            ln_y
        } else {
            (excess * ln_y).exp_m1() / excess
        };
        (-lower * growth - (excess * ln_y).exp() * series).max(0.0)
    }

    /// The same where the series would overflow: where customers hardly differ in how probable it
    /// is that they go, `a` is large.
    ///
    /// It is the mean of (1 − (1 + p t / (alpha + T))^−(r+x)) / p over p of the beta distribution
    /// with a and b + x. With p = 1 / (1 + e^−u) the density over u is analytic and falls off
    /// exponentially, so the trapezoidal rule is as good as exact (L. N. Trefethen, J. A. C.
    /// Weideman, SIAM Review 56, 2014). `elapsed`: t / (alpha + T).
    fn expected_by_quadrature(&self, x: f64, elapsed: f64) -> f64 {
        let Self { r, a, b, .. } = *self;
        // ln of p^a (1 − p)^(b+x), with ln p = −ln(1 + e^−u), and ln(1 − p) = ln p − u.
        let ln_density = |u: f64| {
            let ln_p = -softplus(-u);
            a * ln_p + (b + x) * (ln_p - u)
        };
        let mode = (a / (b + x)).ln();
        let most = ln_density(mode);
        let edge = |direction: f64| {
            let mut step = 1e-6;
            while most - ln_density(mode + direction * step) < NEGLIGIBLE_EXPONENT {
                step *= 1.25;
            }
            mode + direction * step
        };
        let (from, to) = (edge(-1.0), edge(1.0));
        let (mut sum, mut weight) = (0.0, 0.0);
        for place in 0..=QUADRATURE_STEPS {
            let u = from + (to - from) * f64::from(place) / f64::from(QUADRATURE_STEPS);
            let density = (ln_density(u) - most).exp();
            let p = (-softplus(-u)).exp();
            sum += density * -(-(r + x) * (p * elapsed).ln_1p()).exp_m1() / p;
            weight += density;
        }
        sum / weight
    }
}

/// Customers as the likelihood takes them: what depends on the frequency alone is computed once for
/// each.
struct Population {
    groups: Vec<Group>,
    weight: f64,
}

/// Customers of one frequency.
struct Group {
    x: f64,
    weight: f64,
    rows: Vec<Row>,
}

struct Row {
    recency: f64,
    age: f64,
    weight: f64,
}

impl Population {
    /// The counts come by frequency.
    fn of(counts: &BTreeMap<Buying, u64>) -> Self {
        let mut groups: Vec<Group> = Vec::new();
        for (buying, count) in counts {
            let (x, weight) = (f64::from(buying.frequency()), float(*count));
            if groups.last().is_none_or(|group| group.x < x) {
                groups.push(Group {
                    x,
                    weight: 0.0,
                    rows: Vec::new(),
                });
            }
            if let Some(group) = groups.last_mut() {
                group.weight += weight;
                group.rows.push(Row {
                    recency: buying.recency_weeks(),
                    age: buying.age_weeks(),
                    weight,
                });
            }
        }
        Self {
            weight: groups.iter().map(|group| group.weight).sum(),
            groups,
        }
    }

    /// Equation 6 for all, in logarithms and without overflow.
    fn ln_likelihood(&self, model: &BgNbd) -> f64 {
        let BgNbd { r, alpha, a, b } = *model;
        let of_group = |group: &Group| {
            let x = group.x;
            let same = lgamma(r + x) - lgamma(r) + r * alpha.ln() + lgamma(a + b) + lgamma(b + x)
                - lgamma(b)
                - lgamma(a + b + x);
            let gone = (a / (b + x - 1.0)).ln();
            let of_row = |row: &Row| {
                let there = -(r + x) * (alpha + row.age).ln();
                if x == 0.0 {
                    return there * row.weight;
                }
                let gone = gone - (r + x) * (alpha + row.recency).ln();
                (there.max(gone) + (-(there - gone).abs()).exp().ln_1p()) * row.weight
            };
            same * group.weight + group.rows.iter().map(of_row).sum::<f64>()
        };
        self.groups.iter().map(of_group).sum()
    }
}
