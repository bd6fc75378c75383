//! Surveys, contacts and promises as messages.

use std::collections::BTreeMap;

use profile_core::analytics::{
    InteractionHistory, NpsClass, Scale, Totals, ces_of, contacts_per_order, csat_of, nps,
};
use profile_core::model::Model;
use profile_core::model::experience::Asked;
use profile_core::records::Timestamp;

use super::{Page, whole};
use crate::background::analytics::{Part, day_of};
use crate::grpc::encode::time;
use crate::grpc::v1;

/// How customers were served, and what they think of it.
pub(super) struct Served<'a> {
    page: &'a Page<'a>,
    totals: Totals,
    /// Of a customer: the last scores.
    last: BTreeMap<Part, v1::LastScore>,
}

impl<'a> Served<'a> {
    /// Within the window.
    pub(super) fn new(page: &'a Page<'a>, course: &InteractionHistory) -> Self {
        Self {
            page,
            totals: course.within(page.first()..=page.today),
            last: BTreeMap::new(),
        }
    }

    /// Of one customer, whose last scores are told too.
    pub(super) fn of_customer(
        mut self,
        last: &BTreeMap<Part, (Timestamp, Option<i64>)>,
        model: &Model,
    ) -> Self {
        for (part, (at, score)) in last {
            let Some(score) = *score else { continue };
            let told = v1::LastScore {
                score,
                event_time: Some(time(*at)),
                age_days: self.page.today.saturating_sub(day_of(model, *at)).max(0),
                promoter_class: if *part == Part::Nps {
                    class(score)
                } else {
                    v1::PromoterClass::Unspecified
                }
                .into(),
            };
            self.last.insert(*part, told);
        }
        self
    }

    /// Sets the metrics that are measured.
    pub(super) fn tell(mut self, metrics: &mut v1::ExperienceMetrics) {
        let experience = self.page.experience;
        metrics.nps = experience.nps.as_ref().map(|asked| self.nps(asked));
        metrics.csat = experience.csat.as_ref().map(|asked| self.csat(asked));
        metrics.ces = experience.ces.as_ref().map(|asked| self.ces(asked));
        metrics.contact_rate = self.contact_rate();
        metrics.first_contact_resolution = self.first_contact();
        metrics.promises = self.promises();
    }

    fn survey(&self, part: Part, asked: &Asked, formula: &str, off_scale: u64) -> v1::MetricBasis {
        let (min, max) = (asked.scale.min(), asked.scale.max());
        let rounded = if part == Part::Nps {
            ", to the nearest whole number"
        } else {
            ""
        };
        let formula = format!(
            "{formula}; the latest score of each answer; one on another scale (`scale_min`, `scale_max`) is brought onto \
             {min} to {max} linearly{rounded}"
        );
        let mut basis = self.page.within(part, &asked.answers, formula);
        if off_scale > 0 {
            basis.notes.push(format!(
                "not counted: {off_scale} scores that are no whole number from {min} to {max} or of the scale that they name"
            ));
        }
        basis
    }

    fn nps(&mut self, asked: &Asked) -> v1::NetPromoterScore {
        let formula = "100 * (share of 9 and 10 - share of 0 to 6)";
        let mut told = v1::NetPromoterScore {
            basis: Some(self.survey(Part::Nps, asked, formula, self.totals.nps.off_scale)),
            last: self.last.remove(&Part::Nps),
            ..v1::NetPromoterScore::default()
        };
        // What is counted is on the scale.
        if let Ok(Some(found)) = nps(self.totals.nps.iter()) {
            told.score = Some(found.score);
            told.promoter_count = whole(found.promoters);
            told.passive_count = whole(found.passives);
            told.detractor_count = whole(found.detractors);
        }
        told
    }

    fn csat(&mut self, asked: &Asked) -> v1::CustomerSatisfaction {
        let formula = format!(
            "share of 4 and above on the scale from 1 to 5{}",
            brought(asked.scale, Scale::CSAT)
        );
        let mut told = v1::CustomerSatisfaction {
            basis: Some(self.survey(Part::Csat, asked, &formula, self.totals.csat.off_scale)),
            last: self.last.remove(&Part::Csat),
            ..v1::CustomerSatisfaction::default()
        };
        if let Ok(Some(found)) = csat_of(&self.totals.csat, asked.scale) {
            (told.score, told.mean) = (Some(found.score), Some(found.mean));
            told.satisfied_count = whole(found.satisfied.part);
            told.response_count = whole(found.satisfied.whole);
        }
        told
    }

    fn ces(&mut self, asked: &Asked) -> v1::CustomerEffort {
        let formula = format!(
            "mean on the scale from 1 to 7, 7 being least effort{}",
            brought(asked.scale, Scale::CES)
        );
        let mut told = v1::CustomerEffort {
            basis: Some(self.survey(Part::Ces, asked, &formula, self.totals.ces.off_scale)),
            last: self.last.remove(&Part::Ces),
            ..v1::CustomerEffort::default()
        };
        if let Ok(Some(found)) = ces_of(&self.totals.ces, asked.scale) {
            told.score = Some(found.score);
            told.response_count = whole(found.responses);
        }
        told
    }

    fn contact_rate(&self) -> Option<v1::ContactRate> {
        let (contacts, orders) = (
            self.page.experience.contacts.as_ref()?,
            self.page.experience.purchases.as_ref()?,
        );
        let mut basis = self
            .page
            .within(Part::Contacts, contacts, "contacts / orders".to_owned());
        basis.events = format!(
            "contacts: {}; orders: {}",
            basis.events,
            orders.orders.told()
        );
        if self.page.partial.contains(&Part::Purchases) {
            basis.completeness = v1::Completeness::Partial.into();
        }
        Some(v1::ContactRate {
            basis: Some(basis),
            ratio: contacts_per_order(self.totals.contacts, self.totals.orders),
            contact_count: whole(self.totals.contacts),
            order_count: whole(self.totals.orders),
        })
    }

    fn first_contact(&self) -> Option<v1::FirstContactResolution> {
        let contacts = self.page.experience.contacts.as_ref()?;
        let formula = "share of contacts that no other contact of the same customer follows within 7 days; younger ones are \
                       not decided";
        let found = self.totals.first_contact;
        Some(v1::FirstContactResolution {
            basis: Some(
                self.page
                    .within(Part::Contacts, contacts, formula.to_owned()),
            ),
            ratio: found.resolved.ratio(),
            resolved_count: whole(found.resolved.part),
            contact_count: whole(found.resolved.whole),
            undecided_count: whole(found.undecided),
        })
    }

    fn promises(&self) -> Option<v1::DeliveryPromises> {
        let promises = self.page.experience.promises.as_ref()?;
        let formula = "share of promises that were kept";
        Some(v1::DeliveryPromises {
            basis: Some(
                self.page
                    .within(Part::Promises, promises, formula.to_owned()),
            ),
            ratio: self.totals.kept.ratio(),
            kept_count: whole(self.totals.kept.part),
            promise_count: whole(self.totals.kept.whole),
        })
    }
}

fn brought(scale: Scale, onto: Scale) -> String {
    if scale == onto {
        return String::new();
    }
    format!(
        "; scores from {} to {} are brought onto it linearly",
        scale.min(),
        scale.max()
    )
}

fn class(score: i64) -> v1::PromoterClass {
    match NpsClass::of(score) {
        Ok(NpsClass::Detractor) => v1::PromoterClass::Detractor,
        Ok(NpsClass::Passive) => v1::PromoterClass::Passive,
        Ok(NpsClass::Promoter) => v1::PromoterClass::Promoter,
        Err(_) => v1::PromoterClass::Unspecified,
    }
}
