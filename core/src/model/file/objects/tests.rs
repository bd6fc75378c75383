use crate::model::Model;
use crate::records::{Follow, Share, Which};

fn parse(objects: &str) -> Result<Model, String> {
    let model = Model::parse(&format!(
        "sources: {{ shop: }}
events:
  gift_sent: {{ object: {{ gift: gift_id }}, relates: {{ order: order_id }}, properties: {{ gift_id: id, order_id: id }} }}
  box_packed: {{ object: {{ box: box_id }}, relates: {{ shipment: shipment_id }}, states: [packed, sealed], properties: {{ box_id: id, shipment_id: id }} }}
  label_made: {{ object: {{ label: label_id }}, relates: {{ box: box_id }}, status: printed, properties: {{ label_id: id, box_id: id }} }}
  ink_used: {{ object: {{ ink: ink_id }}, relates: {{ label: label_id }}, status: used, properties: {{ ink_id: id, label_id: id }} }}
objects:
{objects}"
    ));
    model.map_err(|errors| {
        errors
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>()
            .join("\n")
    })
}

#[test]
fn rules_are_read_with_the_places_of_their_statuses() {
    let model = parse(
        "  payment: { follows: { any: refund, are: issued, status: refunded } }
  order:
    follows:
      - { any: shipment, are: [delivered, returned], status: partly_delivered }
      - { all: shipment, without: return, are: [partly_returned], status: completed }
  shipment: { follows: { latest: return, are: received, status: partly_returned } }
  call:
  cart: {}
",
    )
    .expect("a model");
    let kinds: Vec<&str> = model.objects.keys().map(String::as_str).collect();
    assert_eq!(kinds, ["order", "payment", "shipment"]);
    let refunded = &model.objects["payment"][0];
    assert_eq!((refunded.rank, refunded.which), (5, Which::Any));
    assert_eq!(refunded.share, Share::Whole, "of refunds");
    let [partly, all] = model.objects["order"].as_slice() else {
        panic!("two rules: {:?}", model.objects["order"]);
    };
    assert_eq!((partly.rank, all.rank), (u32::MAX, 3));
    let wanted = Follow {
        status: "completed".to_owned(),
        rank: 3,
        which: Which::All,
        kind: "shipment".to_owned(),
        are: vec!["partly_returned".to_owned()],
        without: ["return".to_owned()].into(),
        share: Share::Any,
    };
    assert_eq!(*all, wanted);
    assert!(parse("").expect("a model").objects.is_empty());
}

#[test]
fn mistakes_in_rules_are_told_with_line_and_column() {
    let told = parse(
        "  ordr: { follows: { all: shipment, are: delivered, status: delivered } }
  Order: {}
  order:
    follows:
      - { all: shipmnt, are: delivered, status: delivered }
      - { all: shipment, are: [deliverd, lost], status: cancelld }
      - { any: shipment, all: gift, are: delivered, status: delivered }
      - { are: delivered, status: Partly Delivered, until: x }
      - { any: gift, are: sent, without: [retrn, refund], status: delivered }
      - { any: survey, are: [], status: rated }
      - { latest: appointment, are: Booked, status: booked }
      - { latest: label, are: printed, status: labelled }
",
    );
    insta::assert_snapshot!(told.expect_err("has mistakes"), @r"
    8:3: objects.ordr: no event type names an object of the kind `ordr`; did you mean `order`?
    9:3: objects.Order: a kind of object is named in lower snake case (`loyalty_tier`), in 1 to 64 bytes
    12:16: objects.order.follows[0].all: no event type names an object of the kind `shipmnt`; did you mean `shipment`?
    13:32: objects.order.follows[1].are[0]: the kind `shipment` has no status `deliverd`; did you mean `delivered`? (`states` of its event types adds others)
    13:42: objects.order.follows[1].are[1]: the kind `shipment` has no status `lost`; there are: created, delivered, in_transit, out_for_delivery, returned (`states` of its event types adds others)
    13:57: objects.order.follows[1].status: the kind `order` has no status `cancelld`; did you mean `cancelled`? (`states` of its event types adds others)
    14:9: objects.order.follows[2]: a rule says one of `all`, `any` and `latest`: the kind of the related objects
    15:9: objects.order.follows[3]: a rule says one of `all`, `any` and `latest`: the kind of the related objects
    15:35: objects.order.follows[3].status: a status is named in lower snake case (`in_transit`), in 1 to 64 bytes
    15:53: objects.order.follows[3].until: is no key that is known here: there are all, any, latest, are, status, without, amount
    16:27: objects.order.follows[4].are: the kind `gift` has no status `sent`; it has none (`states` of its event types adds others)
    16:43: objects.order.follows[4].without[0]: no event type names an object of the kind `retrn`; did you mean `return`?
    17:16: objects.order.follows[5].any: no event type names an object of the kind `survey`; there are: appointment, box, call, cart, conversation, gift, ink, label, loyalty_account, note, offer, order, payment, refund, return, shipment, subscription, survey_response
    17:29: objects.order.follows[5].are: must name the statuses that related objects have
    19:19: objects.order.follows[7].latest: no event type of one of the kinds `order` and `label` names the other: the rule never holds
    ");
}

#[test]
fn kinds_that_follow_each_other_in_a_circle_are_a_mistake() {
    let told = parse(
        "  order: { follows: { all: shipment, are: delivered, status: completed } }
  shipment:
    follows:
      - { any: box, are: sealed, status: in_transit }
      - { any: return, are: received, status: returned }
  return: { follows: { any: order, are: completed, status: refused } }
  refund: { follows: { any: return, are: refused, status: failed } }
  payment: { follows: { any: payment, are: failed, status: failed } }
",
    );
    insta::assert_snapshot!(told.expect_err("has mistakes"), @r"
    13:29: objects.return.follows.any: follows itself: order → shipment → return → order
    15:30: objects.payment.follows.any: follows itself: payment → payment
    ");
}

#[test]
fn a_chain_of_rules_has_at_most_four_kinds() {
    let chain = "  order: { follows: { all: shipment, are: created, status: completed } }
  shipment: { follows: { any: box, are: sealed, status: created } }
  box: { follows: { any: label, are: printed, status: sealed } }
";
    parse(chain).expect("four kinds");
    let told = parse(&format!(
        "{chain}  label: {{ follows: {{ any: ink, are: used, status: printed }} }}
  refund: {{ follows: {{ any: order, are: completed, status: issued }} }}
"
    ));
    insta::assert_snapshot!(told.expect_err("has mistakes"), @r"
    8:28: objects.order.follows.all: a chain of rules has at most 4 kinds: order → shipment → box → label → ink
    ");
}

#[test]
fn a_kind_has_at_most_sixteen_rules() {
    let rules = |count: usize| {
        let rule = "      - { any: shipment, are: delivered, status: delivered }\n";
        format!("  order:\n    follows:\n{}", rule.repeat(count))
    };
    parse(&rules(16)).expect("sixteen rules");
    insta::assert_snapshot!(parse(&rules(17)).expect_err("has mistakes"), @"26:50: objects.order.follows[16].status: a kind of object has at most 16 rules");
}

#[test]
fn many_ways_through_the_rules_cost_no_more_than_the_rules() {
    let kind = |kind: usize| {
        let rule = |other| format!("      - {{ any: k{other}, are: x, status: y }}\n");
        let rules: String = (kind + 1..=kind + 16).map(rule).collect();
        format!("  k{kind}:\n    follows:\n{rules}")
    };
    let objects: String = (0..400).map(kind).collect();
    let told = parse(&objects).expect_err("has mistakes");
    assert!(
        told.contains("no event type names an object of the kind `k0`"),
        "{told:.500}"
    );
}

#[test]
fn amounts_are_compared_where_there_are_some() {
    let rule = |rule: &str| {
        let model = parse(&format!("  order: {{ follows: {{ {rule} }} }}\n"));
        model.map(|model| model.objects["order"][0].share)
    };
    for (written, share) in [
        ("any: refund, are: issued, status: refunded", Share::Whole),
        (
            "any: refund, are: issued, amount: any, status: refunded",
            Share::Any,
        ),
        (
            "any: refund, are: issued, amount: part, status: partly",
            Share::Part,
        ),
        ("any: return, are: received, status: returned", Share::Any),
        (
            "any: return, are: received, amount: whole, status: returned",
            Share::Whole,
        ),
        (
            "any: payment, are: succeeded, amount: part, status: partly",
            Share::Part,
        ),
        (
            "any: shipment, are: delivered, amount: any, status: done",
            Share::Any,
        ),
    ] {
        assert_eq!(rule(written), Ok(share), "{written}");
    }
    let told = parse(
        "  order: { follows: { any: shipment, are: delivered, amount: whole, status: delivered } }
  shipment: { follows: { any: return, are: received, amount: whole, status: returned } }
  cart: { follows: { any: order, are: paid, amount: all, status: paid } }
",
    );
    insta::assert_snapshot!(told.expect_err("has mistakes"), @r"
    8:62: objects.order.follows.amount: no event type of the kind `shipment` has the property `amount`, which the rule compares
    9:62: objects.shipment.follows.amount: no event type of the kind `shipment` has the property `total` or `amount`, which the rule compares
    10:53: objects.cart.follows.amount: must be one of any, whole, part
    ");
}
