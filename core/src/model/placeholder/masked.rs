//! Values of which signs are hidden or cut off: `j***@gmail.com`, `****1234`, `王**`, `joh...`.
//! Marketplaces, archives of mailing lists and copies for tests hand out such values; many people
//! have the same one.

/// Signs that are written in place of hidden ones, one for each or a few for all.
fn is_sign(letter: char) -> bool {
    matches!(letter, '*' | '•' | '●' | '∗' | '＊' | '█' | '▓' | '■' | '◼')
}

/// Whether signs of a key, a number or an address are hidden or cut off. One sign alone may be its
/// own: a bar code is `*12345*`.
pub(crate) fn is_masked(value: &str) -> bool {
    let (mut before, mut run) = (None, 0);
    let hides = value.chars().any(|letter| {
        let sign = if is_sign(letter) { '*' } else { letter };
        run = if before == Some(sign) { run + 1 } else { 1 };
        before = Some(sign);
        match sign {
            '*' => run == 2,
            '#' | '.' => run == 3,
            _ => false,
        }
    });
    hides || is_crossed_out(value)
}

/// The same of an e-mail address, where no provider lets such a sign be one of the address.
pub(super) fn is_masked_mailbox(value: &str) -> bool {
    value.contains(is_sign) || is_masked(value)
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
