//! Gzip of any number of members, one after the other.
//!
//! Zero bytes after a member are padding, as tapes and block devices have it, and gzip itself
//! ignores them. Anything else that is no member is an error.

use std::io::{self, BufRead, Read};

use flate2::bufread::GzDecoder;

use super::GZIP_MAGIC;

/// Decompresses a stream.
pub(super) struct Members<R> {
    state: State<R>,
}

enum State<R> {
    Within(Box<GzDecoder<R>>),
    Between(R),
    /// Only while the state changes, and after an error.
    Over,
}

impl<R: BufRead> Members<R> {
    pub(super) fn new(source: R) -> Self {
        Self {
            state: State::Within(Box::new(GzDecoder::new(source))),
        }
    }
}

impl<R: BufRead> Read for Members<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            match std::mem::replace(&mut self.state, State::Over) {
                State::Over => return Ok(0),
                State::Within(mut member) => {
                    let count = member.read(buffer)?;
                    if count > 0 || buffer.is_empty() {
                        self.state = State::Within(member);
                        return Ok(count);
                    }
                    self.state = State::Between(member.into_inner());
                }
                State::Between(mut source) => {
                    let bytes = source.fill_buf()?;
                    let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
                    if bytes.is_empty() {
                        return Ok(0);
                    }
                    if zeros > 0 {
                        source.consume(zeros);
                        self.state = State::Between(source);
                    } else if GZIP_MAGIC.starts_with(&bytes[..bytes.len().min(GZIP_MAGIC.len())]) {
                        self.state = State::Within(Box::new(GzDecoder::new(source)));
                    } else {
                        let what = "something that is no gzip follows its end";
                        return Err(io::Error::new(io::ErrorKind::InvalidData, what));
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;

    fn member(text: &str) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(text.as_bytes()).expect("writes");
        encoder.finish().expect("finishes")
    }

    #[test]
    fn members_are_read_to_the_last_and_padding_is_ignored() {
        let (a, b) = (member("a\n"), member("b\n"));
        let cut = &b[..b.len() - 3];
        let cases: [(&str, Vec<u8>, Result<&str, &str>); 7] = [
            ("one", a.clone(), Ok("a\n")),
            ("two", [&*a, &b].concat(), Ok("a\nb\n")),
            ("an empty one", [&*member(""), &a].concat(), Ok("a\n")),
            ("zeros at the end", [&*a, &[0; 600]].concat(), Ok("a\n")),
            ("zeros between", [&*a, &[0; 7], &b].concat(), Ok("a\nb\n")),
            (
                "something else",
                [&*a, b"garbage"].concat(),
                Err("no gzip follows"),
            ),
            ("cut off", [&*a, cut].concat(), Err("")),
        ];
        for (name, bytes, expected) in cases {
            let mut text = String::new();
            let read = Members::new(&*bytes).read_to_string(&mut text);
            match (read, expected) {
                (Ok(_), Ok(expected)) => assert_eq!(text, expected, "{name}"),
                (Err(error), Err(part)) => {
                    assert!(error.to_string().contains(part), "{name}: {error}");
                }
                (read, expected) => panic!("{name}: {read:?}, not {expected:?}"),
            }
        }
    }
}
