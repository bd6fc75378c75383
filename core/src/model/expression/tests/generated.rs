//! Five hundred generated expressions: none goes beyond its budget.

use serde_json::json;

use super::super::time::Zones;
use super::super::{Allowance, Expression, Plan, budget, cel};

/// A linear congruential generator: the same expressions in each run.
struct Dice(u64);

impl Dice {
    fn throw(&mut self, sides: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        usize::try_from(self.0 >> 33).unwrap_or(0) % sides
    }

    fn one_of<'t>(&mut self, words: &[&'t str]) -> &'t str {
        words[self.throw(words.len())]
    }

    fn expression(&mut self, depth: usize) -> String {
        const LEAVES: [&str; 10] = [
            "total",
            "lines",
            "text",
            "missing",
            "customer.name",
            "3",
            "1.5",
            "'a'",
            "words",
            "x",
        ];
        if depth == 0 {
            return self.one_of(&LEAVES).to_owned();
        }
        let one = self.expression(depth - 1);
        match self.throw(8) {
            0 => format!(
                "({one} {} {})",
                self.one_of(&["+", "-", "*", "/", "%"]),
                self.expression(depth - 1)
            ),
            1 => format!(
                "({one} {} {})",
                self.one_of(&["==", "<", ">=", "&&", "||", "in"]),
                self.expression(depth - 1)
            ),
            2 => format!(
                "{}({one})",
                self.one_of(&["decimal", "string", "size", "upper", "round"])
            ),
            3 => format!("({one} ? {} : text)", self.expression(depth - 1)),
            4 => format!("[{one}, {}]", self.expression(depth - 1)),
            5 => format!("text.replace('x', string({one}))"),
            _ => {
                let list = self.one_of(&["lines", "words", "[1, 2, 3]"]);
                let name = self.one_of(&["map", "filter", "all", "exists", "exists_one"]);
                format!("{list}.{name}(x, {one})")
            }
        }
    }
}

#[test]
fn no_generated_expression_goes_beyond_its_budget() {
    let lines: Vec<_> = (0..80)
        .map(|n| json!({"sku": n, "price": "1.50"}))
        .collect();
    let words: Vec<String> = (0..80).map(|n| format!("word {n}")).collect();
    let payload = json!({"total": 12.5, "lines": lines, "words": words, "text": "x".repeat(2_000), "customer": {"name": "Ann"}});
    let (mut dice, mut evaluated, mut over) = (Dice(7), 0, 0);
    while evaluated < 500 {
        let source = dice.expression(5);
        let mut allowance = Allowance::default();
        let Ok(expression) = Expression::compile_within(&source, &[], &mut allowance) else {
            continue;
        };
        let Plan::Program(program) = &expression.plan else {
            continue;
        };
        evaluated += 1;
        let run = program.run(
            &cel::context(&payload, program.names()),
            budget::MAX_STEPS,
            &Zones::UTC,
        );
        let is_over = run.outcome.is_err_and(|fault| fault.is_over_budget());
        over += usize::from(is_over);
        assert!(
            is_over || run.taken < budget::MAX_STEPS,
            "{source}: {}",
            run.taken
        );
    }
    assert!(over > 0, "only {over} were expensive");
}

#[test]
fn what_is_made_once_of_nothing_is_what_each_payload_gives() {
    let payloads = [
        json!({}),
        json!({"total": null, "lines": " ", "words": "", "text": null, "customer": null}),
    ];
    let (mut dice, mut evaluated) = (Dice(11), 0);
    while evaluated < 300 {
        let source = dice.expression(4);
        let Ok(expression) = Expression::compile_within(&source, &[], &mut Allowance::default())
        else {
            continue;
        };
        let Plan::Program(program) = &expression.plan else {
            continue;
        };
        for payload in &payloads {
            let Some(made) = program.run_over_nothing(payload, &Zones::UTC) else {
                continue;
            };
            evaluated += 1;
            let run = program.run(
                &cel::context(payload, program.names()),
                budget::MAX_STEPS,
                &Zones::UTC,
            );
            assert_eq!(run.outcome, made.outcome, "{source}");
            assert_eq!(run.taken, made.taken, "{source}");
            assert_eq!(run.left_out, made.left_out, "{source}");
        }
    }
}
