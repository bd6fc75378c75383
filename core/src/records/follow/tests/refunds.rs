//! Refunds of a part and of the whole, as shops and payment services report them.

use super::*;

const SHARES: &str = "
events:
  charge_updated:
    object: { charge: charge_id }
    status_property: status
    properties: { charge_id: id, status: text }
  refund_updated: { extends: refund_updated, relates: { charge: charge_id }, properties: { charge_id: id } }
  refund_issued: { extends: refund_updated, status: issued }
objects:
  order:
    follows:
      - { any: refund, are: issued, amount: part, status: partly_refunded }
      - { any: refund, are: issued, status: refunded }
      - { any: return, are: completed, amount: whole, status: returned }
      - { any: payment, are: succeeded, amount: part, status: partly_paid }
  payment: { follows: { any: refund, are: issued, status: refunded } }
  charge: { follows: { any: refund, are: issued, status: refunded } }
";

/// The status of an order after events, in whatever order they come.
fn of_order(told: &[&str]) -> String {
    let model = model(SHARES);
    let mut told = events(&model, told);
    let found = status(&model, &told, ORDER);
    told.reverse();
    assert_eq!(status(&model, &told, ORDER), found);
    found
}

#[test]
fn a_refund_of_a_part_is_none_of_the_whole() {
    let paid = "1 order_paid order=1 total=100.00";
    for (refunds, expected) in [
        (&[][..], "paid"),
        (
            &["5 refund_issued order=1 refund=A amount=20"],
            "partly_refunded",
        ),
        (
            &["5 refund_issued order=1 refund=A amount=100.00"],
            "refunded",
        ),
        (
            &["5 refund_issued order=1 refund=A amount=-100"],
            "refunded",
        ),
        (
            &["5 refund_issued order=1 refund=A amount=99.99"],
            "partly_refunded",
        ),
        // More than was paid, such as with the costs of the way back.
        (&["5 refund_issued order=1 refund=A amount=105"], "refunded"),
        // By several tenders, and one after the other.
        (
            &[
                "5 refund_issued order=1 refund=A amount=60",
                "9 refund_issued order=1 refund=B amount=40.00",
            ],
            "refunded",
        ),
        // The same refund again, and its later amount.
        (
            &[
                "5 refund_issued order=1 refund=A amount=60",
                "6 refund_issued order=1 refund=A amount=60",
            ],
            "partly_refunded",
        ),
        (
            &[
                "5 refund_issued order=1 refund=A amount=60",
                "6 refund_updated order=1 refund=A amount=100",
            ],
            "refunded",
        ),
        // The bank sends the second one back.
        (
            &[
                "5 refund_issued order=1 refund=A amount=60",
                "6 refund_issued order=1 refund=B amount=40",
                "7 refund_failed order=1 refund=B",
            ],
            "partly_refunded",
        ),
        (
            &["5 refund_updated order=1 refund=A amount=20 status=pending"],
            "paid",
        ),
    ] {
        let told = [&[paid], refunds].concat();
        assert_eq!(of_order(&told), expected, "{refunds:?}");
    }
}

#[test]
fn a_refund_without_a_rest_or_of_an_order_that_changed_is_told_from_one_of_a_part() {
    let paid = "1 order_paid order=1 total=100.00";
    for (refunds, expected) in [
        // Nothing shows that it is a part.
        (&["5 refund_issued order=1 refund=A"][..], "refunded"),
        (
            &[
                "5 refund_issued order=1 refund=A amount=20",
                "6 refund_issued order=1 refund=B",
            ],
            "refunded",
        ),
        // The shop lowers the total with the refund, or edits the order before it.
        (
            &[
                "5 refund_issued order=1 refund=A amount=60",
                "5 order_updated order=1 total=40",
            ],
            "partly_refunded",
        ),
        (
            &[
                "3 order_updated order=1 total=80",
                "5 refund_issued order=1 refund=A amount=80",
            ],
            "refunded",
        ),
        // The shop's own word comes later.
        (
            &[
                "5 refund_issued order=1 refund=A amount=20",
                "6 order_updated order=1 status=closed",
            ],
            "closed",
        ),
    ] {
        let told = [&[paid], refunds].concat();
        assert_eq!(of_order(&told), expected, "{refunds:?}");
    }
}

#[test]
fn amounts_that_are_not_known_or_of_another_currency_are_no_sum() {
    for (told, expected) in [
        // Without a total of the order.
        (
            [
                "1 order_paid order=1",
                "5 refund_issued order=1 refund=A amount=20",
            ],
            "refunded",
        ),
        (
            [
                "1 order_paid order=1 total=100 currency=EUR",
                "5 refund_issued order=1 refund=A amount=20 currency=eur",
            ],
            "partly_refunded",
        ),
        (
            [
                "1 order_paid order=1 total=100 currency=EUR",
                "5 refund_issued order=1 refund=A amount=100",
            ],
            "refunded",
        ),
        // 110 dollars are not known to be 100 euros.
        (
            [
                "1 order_paid order=1 total=100 currency=EUR",
                "5 refund_issued order=1 refund=A amount=110 currency=USD",
            ],
            "partly_refunded",
        ),
        // Nothing was paid, and so nothing is left to give back.
        (
            [
                "1 order_paid order=1 total=0",
                "5 refund_issued order=1 refund=A amount=0",
            ],
            "refunded",
        ),
        // The order is known after its refund only.
        (
            [
                "9 order_paid order=1 total=100",
                "5 refund_issued order=1 refund=A amount=100",
            ],
            "paid",
        ),
    ] {
        assert_eq!(of_order(&told), expected, "{told:?}");
    }
}

#[test]
fn payments_charges_and_returns_compare_their_own_amounts() {
    let model = model(SHARES);
    let of = |told: &[&str], object: (&str, &str)| status(&model, &events(&model, told), object);
    let payment = "1 payment_succeeded payment=1 amount=19.99 currency=EUR";
    let part = "5 refund_issued refund=A payment=1 amount=5 currency=EUR";
    let rest = "6 refund_issued refund=B payment=1 amount=14.99 currency=EUR";
    assert_eq!(of(&[payment, part], ("payment", "1")), "succeeded");
    assert_eq!(of(&[payment, part, rest], ("payment", "1")), "refunded");
    // Events of a charge that say no amount.
    let charge = "1 charge_updated charge=1 status=succeeded";
    let refund = "5 refund_issued refund=A charge=1 amount=5";
    assert_eq!(of(&[charge, refund], ("charge", "1")), "refunded");
    // A rule may ask it of other objects.
    let order = "1 order_placed order=1 total=100";
    let back = |amount: &str| format!("5 return_completed order=1 return=A {amount}");
    let of_return = |amount: &str| of(&[order, &back(amount)], ORDER);
    assert_eq!(of_return("amount=30"), "placed");
    assert_eq!(of_return("amount=100"), "returned");
    let deposit = "5 payment_succeeded payment=1 order=1 amount=30";
    assert_eq!(of(&[order, deposit], ORDER), "partly_paid");
    let all = "6 payment_succeeded payment=2 order=1 amount=70";
    assert_eq!(of(&[order, deposit, all], ORDER), "placed");
}
