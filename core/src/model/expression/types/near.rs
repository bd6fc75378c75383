//! The word that was likely meant.

/// The nearest of several words, if one is near.
pub(in crate::model) fn near<'w>(
    word: &str,
    words: impl IntoIterator<Item = &'w str>,
) -> Option<&'w str> {
    let most = (word.chars().count() / 3).clamp(1, 3);
    let near = words
        .into_iter()
        .map(|other| (distance(word, other), other))
        .filter(|(distance, _)| *distance <= most);
    near.min().map(|(_, word)| word)
}

/// How many letters are added, left out, replaced or swapped with the next one.
fn distance(one: &str, other: &str) -> usize {
    let (one, other): (Vec<char>, Vec<char>) = (one.chars().collect(), other.chars().collect());
    let mut rows: Vec<Vec<usize>> = vec![(0..=other.len()).collect()];
    for i in 1..=one.len() {
        let mut row = vec![i];
        for j in 1..=other.len() {
            let changed = usize::from(one[i - 1] != other[j - 1]);
            let mut least = (rows[i - 1][j] + 1)
                .min(row[j - 1] + 1)
                .min(rows[i - 1][j - 1] + changed);
            let swapped =
                i > 1 && j > 1 && one[i - 1] == other[j - 2] && one[i - 2] == other[j - 1];
            if swapped {
                least = least.min(rows[i - 2][j - 2] + 1);
            }
            row.push(least);
        }
        rows.push(row);
    }
    rows[one.len()][other.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_of_the_hand_is_near_and_another_word_is_not() {
        let words = ["order_placed", "order_cancelled", "total", "tax"];
        for (word, expected) in [
            ("order_placd", Some("order_placed")),
            ("ordre_placed", Some("order_placed")),
            ("totl", Some("total")),
            ("toatl", Some("total")),
            ("colour", None),
            ("x", None),
        ] {
            assert_eq!(near(word, words), expected, "{word}");
        }
    }
}
