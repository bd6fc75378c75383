//! What is known of a population: the models and scales by which a customer is measured, and each
//! segment as a whole.

use std::collections::{BTreeMap, BTreeSet};

use profile_core::analytics::{
    BgNbd, Day, Fit, FitError, GammaGamma, Horizon, InteractionHistory, RfmScale, RfmValues,
    Summary, lifetime_value,
};
use profile_core::model::experience::Experience;
use profile_core::profile::{History, LeftOut, Part, one_currency};
use profile_core::records::Timestamp;
use serde::{Deserialize, Serialize};

/// All that was computed of a tenant's customers at a time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Statistics {
    /// Of what, as [`Model::measured`](profile_core::model::Model::measured) names it.
    pub measured: String,
    /// When.
    pub compute_time: Timestamp,
    /// That day on the model's calendar: the last that counts.
    pub day: Day,
    /// What all customers are measured by.
    pub scales: Scales,
    /// All customers.
    pub tenant: Group,
    /// Those of each segment of the model.
    pub segments: BTreeMap<String, Group>,
}

/// What customers are measured by: fitted to all who bought.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Scales {
    /// How they buy, and when they are gone.
    pub buying: Option<Fit<BgNbd>>,
    /// What a purchase is worth.
    pub spending: Option<Fit<GammaGamma>>,
    /// The limits between scores.
    pub rfm: Option<RfmScale>,
    /// Why there is no model, in words.
    pub missing: Vec<String>,
}

/// Customers together.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Group {
    /// How many they are.
    pub customers: u64,
    /// Surveys, contacts and promises.
    pub course: InteractionHistory,
    /// Those who bought.
    pub buyers: Buyers,
    /// What is not counted completely yet for some.
    pub partial: BTreeSet<Part>,
}

/// Customers who bought, together. All sums are over them.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Buyers {
    /// How many they are.
    pub customers: u64,
    /// How many purchases they made, also those of no amount.
    pub orders: u64,
    /// How many purchases name which currency.
    pub currencies: BTreeMap<String, u64>,
    /// Days since the last purchase.
    pub days_since_last: u64,
    /// Purchases with an amount.
    pub purchases: u64,
    /// What they came to, in millionths.
    pub micros: i128,
    /// How many have which score, from 1 to 5: recency, frequency and monetary value.
    pub scores: [[u64; 5]; 3],
    /// How many of them are expected to be there still.
    pub alive: f64,
    /// What they are expected to spend.
    pub predicted: f64,
    /// Purchases that are not counted.
    #[serde(default)]
    pub left_out: LeftOut,
}

/// What is remembered of a customer who bought, until all have been seen.
struct Buyer {
    summary: Summary,
    rfm: RfmValues,
    /// Which set of segments.
    segments: usize,
}

/// Takes customers one by one.
pub struct PopulationBuilder {
    /// Over which time value is predicted; none: purchases are not measured.
    horizon: Option<Horizon>,
    day: Day,
    tenant: Group,
    segments: BTreeMap<String, Group>,
    buyers: Vec<Buyer>,
    sets: Vec<BTreeSet<String>>,
    known_sets: BTreeMap<BTreeSet<String>, usize>,
}

impl PopulationBuilder {
    /// Of nobody yet, up to and with a day.
    pub fn new(experience: &Experience, segments: impl Iterator<Item = String>, day: Day) -> Self {
        Self {
            horizon: experience.purchases.as_ref().map(|_| horizon(experience)),
            day,
            tenant: Group::default(),
            segments: segments.map(|name| (name, Group::default())).collect(),
            buyers: Vec::new(),
            sets: Vec::new(),
            known_sets: BTreeMap::new(),
        }
    }

    /// Adds a customer.
    pub fn add(&mut self, history: &History, segments: &BTreeSet<String>) {
        self.tenant.add(history);
        for name in segments {
            if let Some(group) = self.segments.get_mut(name) {
                group.add(history);
            }
        }
        if let (Some(summary), Some(rfm)) = (
            history.purchases.summary(self.day),
            history.purchases.rfm(self.day),
        ) {
            let segments = self.set(segments);
            self.buyers.push(Buyer {
                summary,
                rfm,
                segments,
            });
        }
    }

    fn set(&mut self, segments: &BTreeSet<String>) -> usize {
        if let Some(known) = self.known_sets.get(segments) {
            return *known;
        }
        self.sets.push(segments.clone());
        self.known_sets
            .insert(segments.clone(), self.sets.len() - 1);
        self.sets.len() - 1
    }

    /// What comes of all of them. Takes seconds for a million.
    #[must_use]
    pub fn finish(mut self, measured: String, compute_time: Timestamp) -> Statistics {
        let mut scales = Scales::default();
        if self.horizon.is_some() {
            scales.fit(&self.buyers, &self.tenant.buyers.currencies);
        }
        let horizon = self.horizon.unwrap_or(Horizon::months(0, 0.0));
        for buyer in &self.buyers {
            let measured = Measured::of(buyer, &scales, horizon);
            measured.add_to(&mut self.tenant.buyers, buyer);
            for name in &self.sets[buyer.segments] {
                if let Some(group) = self.segments.get_mut(name) {
                    measured.add_to(&mut group.buyers, buyer);
                }
            }
        }
        let Self {
            day,
            tenant,
            segments,
            ..
        } = self;
        Statistics {
            measured,
            compute_time,
            day,
            scales,
            tenant,
            segments,
        }
    }
}

/// Over which time customers' value is predicted.
#[must_use]
pub fn horizon(experience: &Experience) -> Horizon {
    Horizon::months(
        experience.horizon_months,
        f64::from(experience.monthly_discount) / 1e6,
    )
}

impl Group {
    fn add(&mut self, history: &History) {
        self.customers += 1;
        self.course.merge(&history.course);
        self.partial.extend(&history.partial);
        self.buyers.orders += history.orders;
        self.buyers.left_out.add(history.left_out);
        for (currency, count) in &history.currencies {
            *self.buyers.currencies.entry(currency.clone()).or_default() += count;
        }
    }
}

impl Scales {
    fn fit(&mut self, buyers: &[Buyer], currencies: &BTreeMap<String, u64>) {
        let one = one_currency(currencies);
        let mut found = |what: &str, error: FitError| self.missing.push(format!("{what}: {error}"));
        let buying = BgNbd::fit(buyers.iter().map(|buyer| (buyer.summary.buying, 1)));
        self.buying = buying.map_err(|error| found("BG/NBD", error)).ok();
        match one {
            Ok(_) => {
                let spending = GammaGamma::fit(buyers.iter().map(|buyer| &buyer.summary));
                self.spending = spending.map_err(|error| found("gamma-gamma", error)).ok();
            }
            Err(several) => self.missing.push(format!("gamma-gamma: {several}")),
        }
        self.rfm = RfmScale::of(&buyers.iter().map(|buyer| buyer.rfm).collect::<Vec<_>>());
    }
}

/// What the scales say of a customer.
struct Measured {
    scores: Option<[u8; 3]>,
    alive: f64,
    predicted: f64,
}

impl Measured {
    fn of(buyer: &Buyer, scales: &Scales, horizon: Horizon) -> Self {
        let scores = scales.rfm.map(|scale| scale.scores(buyer.rfm));
        let buying = scales.buying.map(|fit| fit.model);
        let models = buying.zip(scales.spending.map(|fit| fit.model));
        let worth = models.and_then(|(buying, spending)| {
            lifetime_value(&buying, &spending, &buyer.summary, horizon)
        });
        Self {
            scores: scores.map(|scores| [scores.recency, scores.frequency, scores.monetary]),
            alive: buying.map_or(0.0, |model| model.probability_alive(buyer.summary.buying)),
            predicted: worth.unwrap_or(0.0),
        }
    }

    fn add_to(&self, buyers: &mut Buyers, buyer: &Buyer) {
        buyers.customers += 1;
        buyers.days_since_last += u64::from(buyer.rfm.days_since_last);
        buyers.purchases += buyer.rfm.purchases;
        buyers.micros = buyers.micros.saturating_add(buyer.rfm.micros);
        buyers.alive += self.alive;
        buyers.predicted += self.predicted;
        for (counts, score) in buyers
            .scores
            .iter_mut()
            .zip(self.scores.unwrap_or_default())
        {
            if let Some(count) = usize::from(score)
                .checked_sub(1)
                .and_then(|place| counts.get_mut(place))
            {
                *count += 1;
            }
        }
    }
}
