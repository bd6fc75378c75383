//! Values of which signs are hidden or cut off: `j***@gmail.com`, `****1234`, `王**`, `joh...`.
//! Marketplaces, archives of mailing lists and copies for tests hand out such values; many people
//! have the same one.

/// Signs that are written in place of hidden ones, one for each or a few for all.
fn is_sign(letter: char) -> bool {
    matches!(letter, '*' | '•' | '●' | '∗' | '＊' | '█' | '▓' | '■' | '◼')
}

/// Whether signs of a key, a number or an address are hidden. One sign alone may be its own: a bar
/// code is `*12345*`.
pub(crate) fn is_masked(value: &str) -> bool {
    let run = |least: usize, is_of: fn(char) -> bool| {
        let mut letters = value.split(|letter| !is_of(letter));
        letters.any(|signs| signs.chars().nth(least - 1).is_some())
    };
    let is_cut = || run(3, |letter| letter == '.') && value.contains(char::is_alphanumeric);
    !is_plain(value) && (run(2, is_sign) || run(3, |letter| letter == '#') || is_cut())
        || is_crossed_out(value)
}

/// The same of an e-mail address, where no provider lets such a sign be one of the address.
pub(super) fn is_masked_mailbox(value: &str) -> bool {
    !is_plain(value) && value.contains(is_sign) || is_masked(value)
}

/// The same of a name.
pub(crate) fn is_masked_name(value: &str) -> bool {
    is_masked_mailbox(value)
}

/// Whether nothing is there that could hide anything, which is soon told of almost all values.
fn is_plain(value: &str) -> bool {
    value
        .bytes()
        .all(|byte| byte.is_ascii() && !matches!(byte, b'*' | b'#' | b'.'))
}

/// `XXXX-XXXX-1234`, `xxxxxx4411`.
fn is_crossed_out(value: &str) -> bool {
    const LEAST: usize = 4;
    let is_cross = |byte: &u8| matches!(byte, b'x' | b'X');
    let letters = || value.bytes().filter(u8::is_ascii_alphanumeric);
    value.is_ascii()
        && letters().all(|byte| is_cross(&byte) || byte.is_ascii_digit())
        && letters().filter(is_cross).count() >= LEAST
}

#[cfg(test)]
mod tests {
    use super::super::{Placeholders, Sort};

    #[test]
    fn hidden_signs_are_nobodys() {
        let built_in = Placeholders::default();
        for (sort, values) in [
            (
                Sort::Email,
                "j***@gmail.com j*n@gmail.com j****n@g****.com ****@example.net jo•••@web.de \
                 xxxxx@xxxxx.com joh...@googlegroups.com ***",
            ),
            (
                Sort::Id,
                "****1234 4***********1234 ••••1234 ####1234 #### ...1234 abc...f3 XXXX-XXXX-XXXX-1234 \
                 xxxxxx4411 1234-****-****-5678 ■■■■ ab**yz **",
            ),
            (
                Sort::Phone,
                "+49151*****67 ***-***-1234 XXX-XXX-1234 +1•••••••1234",
            ),
            (Sort::Place, "1**_M***_St ***** M●●●_Road 1234**"),
        ] {
            for value in values.split_whitespace() {
                let value = value.replace('_', " ");
                assert!(built_in.has(sort, &value), "{sort:?} {value}");
            }
        }
    }

    #[test]
    fn signs_that_are_their_own_are_somebodys() {
        let built_in = Placeholders::default();
        for (sort, values) in [
            (
                Sort::Email,
                "j.x.x@mail.de ann#1@mail.de kx4711@mail.de k.r.t@mail.de",
            ),
            (
                Sort::Id,
                "*12345* A*17 #1234 #12#7 xx1234 XX-991-X 1.294.567 a.b.c 0x12ab34 XXL4471B max.4711",
            ),
            (Sort::Place, "Main_St_#4 1234_XX St._Str._4"),
        ] {
            for value in values.split_whitespace() {
                let value = value.replace('_', " ");
                assert!(!built_in.has(sort, &value), "{sort:?} {value}");
            }
        }
    }
}
