//! The CDNOW sample: purchases, the published summary, and what the literature's models make of it.
//! The numbers are those of the papers, recomputed with `lifetimes` 0.11.3.

use std::collections::BTreeMap;

use super::super::{
    BgNbd, GammaGamma, Horizon, MIN_REPEATERS, Purchases, Spent, Summary, lifetime_value,
};
use super::assert_near;

const PURCHASES: &str = include_str!("../../../../tests/data/cdnow/CDNOW_sample.txt");
const SUMMARY: &str =
    include_str!("../../../../tests/data/cdnow/cdnow_customers_summary_with_transactions.csv");
/// 1997-09-30, in days since 1997-01-01.
const END: i32 = 272;
/// The models are to agree with what is published within one percent.
const PERCENT: f64 = 0.01;

/// Days since 1997-01-01, of a day of 1997 or 1998 such as `19970118`.
fn day(date: &str) -> i32 {
    let part = |at: std::ops::Range<usize>| date[at].parse::<i32>().expect("a number");
    let before = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334];
    (part(0..4) - 1997) * 365
        + before[usize::try_from(part(4..6)).expect("a month") - 1]
        + part(6..8)
        - 1
}

fn micros(dollars: &str) -> i128 {
    let (units, cents) = dollars.split_once('.').expect("cents");
    assert_eq!(cents.len(), 2, "{dollars}");
    (units.parse::<i128>().expect("dollars") * 100 + cents.parse::<i128>().expect("cents")) * 10_000
}

/// By customer.
fn summaries() -> BTreeMap<u32, Summary> {
    let mut days: BTreeMap<u32, Vec<(i32, Spent)>> = BTreeMap::new();
    for line in PURCHASES.lines() {
        let columns: Vec<&str> = line.split_whitespace().collect();
        let [_, customer, date, _, dollars] = columns[..] else {
            panic!("{line}")
        };
        let spent = Spent {
            micros: micros(dollars),
            purchases: 1,
        };
        days.entry(customer.parse().expect("a customer"))
            .or_default()
            .push((day(date), spent));
    }
    let summary = |days| {
        Purchases::from_iter(days)
            .summary(END)
            .expect("all bought by then")
    };
    days.into_iter()
        .map(|(customer, days)| (customer, summary(days)))
        .collect()
}

fn buying(customers: &BTreeMap<u32, Summary>) -> BgNbd {
    BgNbd::fit(customers.values().map(|customer| (customer.buying, 1)))
        .expect("a fit")
        .model
}

fn spending(customers: &BTreeMap<u32, Summary>) -> GammaGamma {
    GammaGamma::fit(customers.values()).expect("a fit").model
}

/// The literature counts customers in order of their numbers.
fn first_ten(customers: &BTreeMap<u32, Summary>) -> Vec<&Summary> {
    (1..=10).map(|customer| &customers[&customer]).collect()
}

#[test]
fn every_customer_is_summed_up_as_published() {
    let customers = summaries();
    let mut published = 0;
    for line in SUMMARY.lines().skip(1) {
        let columns: Vec<&str> = line.split(',').collect();
        let [id, x, t_x, age, zbar] = columns[..] else {
            panic!("{line}")
        };
        let ours = &customers[&id.parse().expect("a customer")];
        assert_eq!(ours.buying.frequency().to_string(), x, "{line}");
        // Published to two decimals.
        for (ours, published) in [
            (ours.buying.recency_weeks(), t_x),
            (ours.buying.age_weeks(), age),
            (ours.monetary_value.unwrap_or_default(), zbar),
        ] {
            let published: f64 = published.parse().expect("a number");
            assert!((ours - published).abs() < 0.005_01, "{line}: {ours}");
        }
        published += 1;
    }
    assert_eq!((published, customers.len()), (2357, 2357));
}

#[test]
fn repeat_purchases_are_as_many_as_published() {
    let repeats: Vec<u32> = summaries()
        .values()
        .map(|customer| customer.buying.frequency())
        .collect();
    let all: u32 = repeats.iter().sum();
    assert_eq!(repeats.iter().filter(|repeats| **repeats > 0).count(), 946);
    assert_eq!(all, 2457);
    assert_near(f64::from(all) / 2357.0, 1.0424, 1e-4);
}

#[test]
fn bg_nbd_has_the_parameters_of_the_paper() {
    let fit = BgNbd::fit(summaries().values().map(|customer| (customer.buying, 1))).expect("a fit");
    assert_near(fit.model.r, 0.2426, PERCENT);
    assert_near(fit.model.alpha, 4.4135, PERCENT);
    assert_near(fit.model.a, 0.7929, PERCENT);
    assert_near(fit.model.b, 2.4258, PERCENT);
    // The maximum itself is told more sharply than where it is: table 2 of the paper.
    assert_near(fit.ln_likelihood, -9582.4, 1e-5);
    assert_eq!(fit.customers, 2357);
}

#[test]
fn gamma_gamma_has_the_parameters_of_the_note() {
    let fit = GammaGamma::fit(summaries().values()).expect("a fit");
    assert_near(fit.model.p, 6.249, PERCENT);
    assert_near(fit.model.q, 3.745, PERCENT);
    assert_near(fit.model.v, 15.448, PERCENT);
    assert_eq!(fit.customers, 946);
}

#[test]
fn the_first_ten_are_expected_to_spend_as_published() {
    let customers = summaries();
    let model = spending(&customers);
    let published = [
        24.6586, 18.9115, 35.1710, 35.1710, 35.1710, 71.4629, 18.9115, 35.1710, 27.2824, 35.1710,
    ];
    for (customer, published) in first_ten(&customers).into_iter().zip(published) {
        assert_near(
            model.expected_spend(customer).expect("a mean"),
            published,
            PERCENT,
        );
    }
}

/// What the first ten are worth over twelve periods of so many weeks, at one percent a period.
fn assert_worth(weeks: f64, published: [f64; 10]) {
    let customers = summaries();
    let (buying, spending) = (buying(&customers), spending(&customers));
    let horizon = Horizon {
        periods: 12,
        weeks,
        discount: 0.01,
    };
    for (customer, published) in first_ten(&customers).into_iter().zip(published) {
        assert_near(
            lifetime_value(&buying, &spending, customer, horizon).expect("a mean"),
            published,
            PERCENT,
        );
    }
}

/// `lifetimes` takes a month to be 30 units of time unless told otherwise. Its published values are
/// of a model in weeks and were computed without telling: their twelve months are 360 weeks.
#[test]
fn the_first_ten_are_worth_as_much_as_published_over_360_weeks() {
    assert_worth(
        30.0,
        [
            140.096, 18.943, 38.181, 38.181, 38.181, 1003.868, 28.110, 38.181, 167.418, 38.181,
        ],
    );
}

/// `lifetimes` being told that time is in weeks.
#[test]
fn the_first_ten_are_worth_as_much_as_lifetimes_has_it_over_twelve_months() {
    assert_eq!(
        Horizon::months(12, 0.01),
        Horizon {
            periods: 12,
            weeks: 4.345,
            discount: 0.01
        }
    );
    assert_worth(
        4.345,
        [
            36.274, 4.6409, 8.3445, 8.3445, 8.3445, 283.5581, 6.8817, 8.3445, 43.3587, 8.3445,
        ],
    );
}

#[test]
fn a_fit_is_the_same_in_whatever_order_customers_come_and_however_they_are_grouped() {
    let customers = summaries();
    let each: Vec<_> = customers
        .values()
        .map(|customer| (customer.buying, 1))
        .collect();
    let mut grouped = BTreeMap::new();
    for (buying, count) in &each {
        *grouped.entry(*buying).or_insert(0) += count;
    }
    let fit = BgNbd::fit(each.iter().copied()).expect("a fit");
    assert_eq!(BgNbd::fit(each.into_iter().rev()), Ok(fit));
    assert_eq!(BgNbd::fit(grouped.into_iter().rev()), Ok(fit));
    assert_eq!(
        GammaGamma::fit(customers.values().rev()),
        GammaGamma::fit(customers.values())
    );
}

#[test]
fn too_few_customers_who_bought_again_are_not_fitted_to() {
    let customers = summaries();
    let again = customers
        .values()
        .filter(|customer| customer.buying.frequency() > 0);
    let few: Vec<_> = again.take(31).collect();
    let refused =
        BgNbd::fit(few.iter().map(|customer| (customer.buying, 1))).expect_err("31 are too few");
    assert_eq!(
        refused.to_string(),
        "31 customers bought on more than one day; at least 32 are needed"
    );
    assert_eq!(
        GammaGamma::fit(few.iter().copied()).expect_err("31 are too few"),
        refused
    );
    assert_eq!(MIN_REPEATERS, 32);
}
