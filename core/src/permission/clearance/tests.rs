use super::*;

const MODEL: &str = "
sources: { shop: }
identifiers: { email: { priority: 1 }, phone: { priority: 2 } }
traits: { name: { searchable: true }, born: { searchable: true }, town: { searchable: true } }
purposes: { service: , newsletter: }
roles:
  agent:
    purposes: [service]
    traits: [name]
    masked_traits: [born]
    identifiers: [email]
    masked_identifiers: [phone]
    lookup_identifiers: [phone]
    events: [order_placed]
    properties: '*'
  steward: { traits: '*', masked_traits: [born], record_keys: true, properties: '*', masked_properties: [street] }
  mailer: { purposes: [newsletter], identifiers: [email], preferences: true }
  all:
    traits: '*'
    identifiers: '*'
    computed: '*'
    segments: '*'
    experience: '*'
    events: '*'
    objects: '*'
    properties: '*'
    preferences: true
    accessibility: true
    record_keys: true
  nobody:
";

fn of(names: &[&str]) -> Result<Clearance, UnknownRole> {
    let model = Arc::new(Model::parse(MODEL).expect("a model"));
    Clearance::new(names.iter().map(|name| (*name).to_owned()).collect(), model)
}

fn clearance(names: &[&str]) -> Clearance {
    of(names).expect("roles of the model")
}

#[test]
fn a_role_sees_what_it_lists_and_a_second_one_only_adds_to_it() {
    use Clarity::{Clear, Hidden, Masked};
    for (names, name, born, town) in [
        (&["nobody"][..], Hidden, Hidden, Hidden),
        (&["agent"], Clear, Masked, Hidden),
        // A name says more than `*`.
        (&["steward"], Clear, Masked, Clear),
        (&["nobody", "agent"], Clear, Masked, Hidden),
        (&["agent", "all"], Clear, Clear, Clear),
    ] {
        let sees = clearance(names);
        let found = ["name", "born", "town"].map(|name| sees.of_trait(name));
        assert_eq!(found, [name, born, town], "{names:?}");
    }
    let agent = clearance(&["agent"]);
    assert_eq!(agent.of_identifier("phone"), Masked);
    assert!(agent.sees_event("order_placed") && !agent.sees_event("order_paid"));
    assert!(agent.sees_all_properties() && !clearance(&["steward"]).sees_all_properties());
    assert_eq!(clearance(&["steward"]).of_property("street"), Masked);
}

#[test]
fn customers_are_found_by_what_is_seen_or_by_what_is_listed_for_it() {
    let agent = clearance(&["agent"]);
    assert!(agent.looks_up("phone"), "it is listed, though it is masked");
    assert!(!agent.looks_up("email"), "the list is whole");
    assert!(clearance(&["mailer"]).looks_up("email"), "it is seen");
    assert!(!clearance(&["nobody"]).looks_up("email"));
    let traits = |names: &[&str]| {
        clearance(names)
            .searched_traits()
            .into_iter()
            .collect::<Vec<_>>()
    };
    assert_eq!(traits(&["agent"]), ["name"]);
    assert_eq!(traits(&["steward"]), ["name", "town"]);
    assert_eq!(traits(&["nobody"]), [""; 0]);
}

#[test]
fn a_purpose_is_compulsory_where_each_role_names_some() {
    let purposes = |names: &[&str]| {
        let clearance = clearance(names);
        let names = clearance.purposes()?.into_iter().map(str::to_owned);
        Some(names.collect::<Vec<_>>())
    };
    assert_eq!(purposes(&["agent"]), Some(vec!["service".to_owned()]));
    let both = Some(vec!["newsletter".to_owned(), "service".to_owned()]);
    assert_eq!(purposes(&["agent", "mailer"]), both);
    assert_eq!(purposes(&["agent", "steward"]), None);
}

#[test]
fn only_what_sees_everything_is_whole() {
    assert!(clearance(&["all"]).is_whole());
    assert!(clearance(&["agent", "all"]).is_whole());
    for names in [
        &["agent"][..],
        &["steward"],
        &["agent", "steward"],
        &["nobody"],
    ] {
        assert!(!clearance(names).is_whole(), "{names:?}");
    }
    // Each key counts.
    let all = clearance(&["all"]);
    let whole = &all.model().roles["all"];
    let without: [fn(&mut AccessRole); 12] = [
        |role| role.traits = Visible::default(),
        |role| role.identifiers = Visible::default(),
        |role| role.computed = Visible::default(),
        |role| role.segments = Visible::default(),
        |role| role.experience = Visible::default(),
        |role| role.events = Visible::default(),
        |role| role.objects = Visible::default(),
        |role| role.properties = Visible::default(),
        |role| role.preferences = false,
        |role| role.accessibility = false,
        |role| role.record_keys = false,
        |role| role.masked_traits = Visible::Only(["born".to_owned()].into()),
    ];
    for (place, take) in without.into_iter().enumerate() {
        let mut less = whole.clone();
        take(&mut less);
        assert!(!is_whole(&less), "{place}");
    }
}

#[test]
fn a_role_that_the_model_does_not_declare_is_no_role() {
    let unknown = of(&["agent", "chief"]).expect_err("there is no chief");
    assert_eq!(unknown, UnknownRole("chief".to_owned()));
    assert_eq!(clearance(&["agent"]).rule(), "role agent");
    assert_eq!(
        clearance(&["agent", "mailer"]).rule(),
        "roles agent, mailer"
    );
}

#[test]
fn a_comparison_is_seen_by_whom_all_is_seen_that_it_may_come_from() {
    let model = "
sources: { shop: }
identifiers: { email: { priority: 1, normalize: email }, work_email: { priority: 2, normalize: email } }
traits: { given: { match: given_name }, name: { match: full_name }, born: { match: birth_date } }
roles: { some: { traits: [given, born], identifiers: [email] }, more: { traits: [name], identifiers: [work_email] } }";
    let model = Arc::new(Model::parse(model).expect("a model"));
    let sees = |names: &[&str], field: &str| {
        let names = names.iter().map(|name| (*name).to_owned()).collect();
        Clearance::new(names, model.clone())
            .expect("roles")
            .sees_comparison(field)
    };
    assert!(sees(&["some"], "birth_date"));
    assert!(
        !sees(&["some"], "given_name"),
        "it may be read from the whole name"
    );
    assert!(
        !sees(&["some"], "email"),
        "it may be an address of the other type"
    );
    for field in ["given_name", "family_name", "email", "birth_date"] {
        assert!(sees(&["some", "more"], field), "{field}");
    }
    assert!(!sees(&["some", "more"], "something_new"));
}
