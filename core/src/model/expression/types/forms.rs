//! The forms of functions: as a function or as a method, and of how many arguments.
//!
//! A function that is known in another form only would have no value, and a condition with it would
//! hold of nobody.

/// A function with the numbers of arguments that it takes, and those that it takes as a method.
type Form = (&'static str, &'static [usize], &'static [usize]);

const FORMS: [Form; 55] = [
    ("abs", &[1], &[]),
    ("all", &[], &[2]),
    ("bool", &[1], &[]),
    ("bytes", &[1], &[]),
    ("ceil", &[1], &[]),
    ("charAt", &[], &[1]),
    ("contains", &[], &[1]),
    ("decimal", &[1, 2], &[]),
    ("duration", &[1], &[]),
    ("dyn", &[1], &[]),
    ("endsWith", &[], &[1]),
    ("exists", &[], &[2]),
    ("existsOne", &[], &[2]),
    ("exists_one", &[], &[2]),
    ("filter", &[], &[2]),
    ("floor", &[1], &[]),
    ("format", &[], &[1]),
    ("getDate", &[], &[0, 1]),
    ("getDayOfMonth", &[], &[0, 1]),
    ("getDayOfWeek", &[], &[0, 1]),
    ("getDayOfYear", &[], &[0, 1]),
    ("getFullYear", &[], &[0, 1]),
    ("getHours", &[], &[0, 1]),
    ("getMilliseconds", &[], &[0, 1]),
    ("getMinutes", &[], &[0, 1]),
    ("getMonth", &[], &[0, 1]),
    ("getSeconds", &[], &[0, 1]),
    ("has", &[1], &[]),
    ("indexOf", &[], &[1, 2]),
    ("int", &[1], &[]),
    ("join", &[], &[0, 1]),
    ("join_nonempty", &[2], &[]),
    ("lastIndexOf", &[], &[1, 2]),
    ("lower", &[1], &[]),
    ("lowerAscii", &[], &[0]),
    ("map", &[], &[2, 3]),
    ("matches", &[2], &[1]),
    ("replace", &[], &[2, 3]),
    ("reverse", &[], &[0]),
    ("round", &[1, 2], &[]),
    ("size", &[1], &[0]),
    ("split", &[], &[1, 2]),
    ("startsWith", &[], &[1]),
    ("string", &[1], &[]),
    ("substring", &[], &[1, 2]),
    ("sum", &[1], &[0]),
    ("time", &[1], &[]),
    ("timestamp", &[1], &[]),
    ("to_bool", &[1], &[]),
    ("to_int", &[1], &[]),
    ("to_string", &[1], &[]),
    ("trim", &[1], &[0]),
    ("type", &[1], &[]),
    ("upper", &[1], &[]),
    ("upperAscii", &[], &[0]),
];

/// What is wrong with the form of a call. `None`: nothing, or the function is not known here.
pub(super) fn mistake(name: &str, is_method: bool, count: usize) -> Option<String> {
    let (_, as_function, as_method) = FORMS.iter().find(|(known, ..)| *known == name)?;
    let counts = if is_method { as_method } else { as_function };
    if counts.contains(&count) {
        return None;
    }
    Some(match (counts.is_empty(), is_method) {
        (true, true) => format!("`{name}` is no method: write {name}(x)"),
        (true, false) => format!("`{name}` is a method: write x.{name}(…)"),
        (false, _) => {
            let counts: Vec<String> = counts.iter().map(ToString::to_string).collect();
            format!(
                "`{name}` takes {} arguments, and is given {count}",
                counts.join(" or ")
            )
        }
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::{Shape, Wanted, mistakes};
    use super::*;
    use crate::model::expression::{Expression, Payload};

    #[test]
    fn a_call_in_a_form_that_there_is_not_is_a_mistake_at_its_place() {
        for (source, at, expected) in [
            (
                "name.upper() == 'A'",
                5,
                "`upper` is no method: write upper(x)",
            ),
            (
                "contains(name, 'n')",
                0,
                "`contains` is a method: write x.contains(…)",
            ),
            (
                "upper(a, b)",
                0,
                "`upper` takes 1 arguments, and is given 2",
            ),
            (
                "name.replace('a')",
                5,
                "`replace` takes 2 or 3 arguments, and is given 1",
            ),
            (
                "tags.exists(t)",
                5,
                "`exists` takes 2 arguments, and is given 1",
            ),
            (
                "a && tags.join_nonempty(',')",
                10,
                "`join_nonempty` is no method",
            ),
            ("tags.all(t, t.lower() == 'a')", 14, "`lower` is no method"),
        ] {
            let found = mistakes(source, &Shape::open(), Wanted::Anything);
            let [mistake] = found.as_slice() else {
                panic!("{source}: {found:?}")
            };
            assert_eq!(mistake.at, at, "{source}");
            assert!(mistake.message.starts_with(expected), "{source}: {found:?}");
        }
    }

    /// Holds the table against the functions that there are, but for macros and operators.
    #[test]
    fn a_form_of_the_table_is_one_and_another_is_an_error() {
        let macros = [
            "all",
            "exists",
            "existsOne",
            "exists_one",
            "filter",
            "has",
            "map",
        ];
        let payload = json!({ "x": "a" });
        let known = FORMS.iter().filter(|(name, ..)| !macros.contains(name));
        for (name, as_function, as_method) in known {
            for (is_method, counts) in [(false, as_function), (true, as_method)] {
                for count in 0..4 {
                    let arguments = vec!["x"; count].join(", ");
                    let dot = if is_method { "x." } else { "" };
                    let source = format!("{dot}{name}({arguments})");
                    let is_form = counts.contains(&count);
                    assert_eq!(
                        mistake(name, is_method, count).is_none(),
                        is_form,
                        "{source}"
                    );
                    let told = Expression::compile(&source).map_err(|wrong| wrong.concat());
                    let told = told.and_then(|it| {
                        let outcome = it.evaluate(&Payload::new(&payload));
                        outcome.map_err(|fault| fault.to_string())
                    });
                    assert!(is_form || told.is_err(), "{source}: {told:?}");
                    let other = "is called in a form that it does not have";
                    let is_other = told.is_err_and(|told| told.contains(other));
                    assert!(!is_form || !is_other, "{source}");
                }
            }
        }
    }
}
