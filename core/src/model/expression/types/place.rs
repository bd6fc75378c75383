//! The places of the words of an expression.
//!
//! The parser keeps no places. But a tree that is walked in the order of its text meets the words
//! in that same order: so each is looked for behind the one before.

/// The words and signs of an expression, and how far the walk has come.
pub(super) struct Places {
    /// How many characters are before each, and what it is: a name, a number, a sign, or what a
    /// quoted text holds.
    words: Vec<(usize, String)>,
    next: usize,
}

impl Places {
    pub(super) fn of(source: &str) -> Self {
        let letters: Vec<char> = source.chars().collect();
        let (mut words, mut at) = (Vec::new(), 0);
        while at < letters.len() {
            let begin = at;
            let letter = letters[at];
            at += 1;
            if letter.is_whitespace() {
                continue;
            }
            if letter == '\'' || letter == '"' {
                while at < letters.len() && letters[at] != letter {
                    at += if letters[at] == '\\' { 2 } else { 1 };
                }
                let end = at.min(letters.len());
                words.push((begin, letters[begin + 1..end].iter().collect()));
                at += 1;
                continue;
            }
            let is_number = letter.is_ascii_digit();
            let goes_on =
                |next: char| next.is_alphanumeric() || next == '_' || (is_number && next == '.');
            if letter.is_alphanumeric() || letter == '_' {
                while at < letters.len() && goes_on(letters[at]) {
                    at += 1;
                }
            } else if at < letters.len()
                && ["==", "!=", "<=", ">=", "&&", "||"]
                    .contains(&[letter, letters[at]].iter().collect::<String>().as_str())
            {
                at += 1;
            }
            words.push((begin, letters[begin..at].iter().collect()));
        }
        Self { words, next: 0 }
    }

    /// The place of the next such word, which the walk has then passed. Where there is none, that
    /// of the next one.
    pub(super) fn pass(&mut self, word: &str) -> usize {
        let found = self.words[self.next.min(self.words.len())..]
            .iter()
            .position(|(_, found)| found == word);
        if let Some(found) = found {
            self.next += found + 1;
            return self.words[self.next - 1].0;
        }
        self.words.get(self.next).map_or(0, |(place, _)| *place)
    }

    /// The place of the next such word, which the walk does not pass.
    pub(super) fn ahead(&self, word: &str) -> Option<usize> {
        let ahead = &self.words[self.next.min(self.words.len())..];
        ahead
            .iter()
            .find(|(_, found)| found == word)
            .map(|(place, _)| *place)
    }

    /// The numbers with a fraction.
    pub(super) fn fractions(&self) -> impl Iterator<Item = (usize, &str)> {
        let is_fraction = |word: &str| {
            word.starts_with(|letter: char| letter.is_ascii_digit())
                && word.contains('.')
                && word.parse::<f64>().is_ok()
        };
        let words = self
            .words
            .iter()
            .map(|(place, word)| (*place, word.as_str()));
        words.filter(move |(_, word)| is_fraction(word))
    }
}
