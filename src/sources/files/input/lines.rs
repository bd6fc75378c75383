//! Line ends: where a line ends, and how many lines there are.

/// Bytes that end a line of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::sources::files) enum LineEnds {
    /// A line feed, perhaps after a carriage return.
    Usual,
    /// A carriage return alone, as Excel for Mac writes.
    CarriageReturn,
}

impl LineEnds {
    /// The line ends of a file by its beginning.
    pub(super) fn of(beginning: &[u8]) -> Self {
        let is_end = |byte: &u8| matches!(byte, b'\r' | b'\n');
        let first = beginning.iter().position(is_end);
        match first.map(|at| (beginning[at], beginning.get(at + 1))) {
            Some((b'\r', Some(next))) if *next != b'\n' => Self::CarriageReturn,
            _ => Self::Usual,
        }
    }

    /// The place of the first line end.
    pub(in crate::sources::files) fn find(self, bytes: &[u8]) -> Option<usize> {
        bytes.iter().position(|byte| match self {
            Self::Usual => *byte == b'\n',
            Self::CarriageReturn => matches!(byte, b'\r' | b'\n'),
        })
    }
}

/// Number of line ends in bytes: `\n`, `\r\n` and `\r` are one each. `after_return` is whether the
/// byte before them was a carriage return, and becomes whether their last one is.
pub(super) fn count(bytes: &[u8], after_return: &mut bool) -> u64 {
    let mut lines = 0;
    for byte in bytes {
        let is_end = match byte {
            b'\r' => true,
            b'\n' => !*after_return,
            _ => false,
        };
        lines += u64::from(is_end);
        *after_return = *byte == b'\r';
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn line_ends_are_told_by_the_first_and_counted_whatever_they_are() {
        for (text, ends, lines) in [
            ("a\nb\n", LineEnds::Usual, 2),
            ("a\r\nb\r\n", LineEnds::Usual, 2),
            ("a\rb\r", LineEnds::CarriageReturn, 2),
            ("a\rb\nc\r\n", LineEnds::CarriageReturn, 3),
            ("a\n\"b\rc\"\n", LineEnds::Usual, 3),
            ("a\r\r\nb", LineEnds::CarriageReturn, 2),
            ("a\r", LineEnds::Usual, 1),
            ("a", LineEnds::Usual, 0),
        ] {
            assert_eq!(LineEnds::of(text.as_bytes()), ends, "{text:?}");
            let mut after_return = false;
            let counted: u64 = text
                .as_bytes()
                .chunks(1)
                .map(|chunk| count(chunk, &mut after_return))
                .sum();
            assert_eq!(counted, lines, "{text:?}");
        }
    }
}
