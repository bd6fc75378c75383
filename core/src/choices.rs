//! Enumerations that people write by name: each variant with its name and its text, once.
//!
//! From one declaration by `choices!` come the enum, its names, and what the model file's JSON
//! Schema says of it.

/// An enumeration whose variants have names.
pub(crate) trait Choice: Copy + PartialEq + 'static {
    /// Name of the enumeration in the JSON Schema.
    const TITLE: &'static str;
    /// Lines of its text.
    const ABOUT: &'static [&'static str];
    /// All variants with their names, in order.
    const NAMED: &'static [(&'static str, Self)];
    /// Lines of the text of each variant, in the same order.
    const TEXTS: &'static [&'static [&'static str]];

    /// The name of a variant.
    fn written(self) -> &'static str {
        let found = Self::NAMED.iter().find(|(_, variant)| *variant == self);
        found.map_or("", |(name, _)| *name)
    }
}

/// A key of a table: of many keys that have one form and differ in what they mean.
#[derive(Debug)]
pub(crate) struct Listed<T> {
    pub(crate) key: &'static str,
    pub(crate) meaning: T,
    /// Whether its mapping cannot be without it.
    pub(crate) required: bool,
    pub(crate) text: &'static str,
}

impl<T> Listed<T> {
    pub(crate) const fn optional(key: &'static str, meaning: T, text: &'static str) -> Self
    where
        T: Copy,
    {
        Self {
            key,
            meaning,
            required: false,
            text,
        }
    }

    pub(crate) const fn required(key: &'static str, meaning: T, text: &'static str) -> Self
    where
        T: Copy,
    {
        Self {
            key,
            meaning,
            required: true,
            text,
        }
    }
}

macro_rules! choices {
    (
        $(#[doc = $about:literal])+
        $(#[derive($($derived:ident),+)])?
        $(#[serde($($serde:tt)+)])?
        $vis:vis enum $Name:ident as $title:literal $(or $Default:ident)? {$(
            $(#[doc = $text:literal])+
            $Variant:ident = $name:literal,
        )+}
    ) => {
        $(#[doc = $about])+
        #[derive(Debug, Clone, Copy, PartialEq, Eq $(, $($derived),+)?)]
        $(#[serde($($serde)+)])?
        $vis enum $Name {$(
            $(#[doc = $text])+
            $Variant,
        )+}

        impl $Name {
            /// All variants with their names, in order.
            $vis const ALL: &'static [(&'static str, Self)] = &[$(($name, Self::$Variant)),+];
        }

        impl $crate::choices::Choice for $Name {
            const TITLE: &'static str = $title;
            const ABOUT: &'static [&'static str] = &[$($about),+];
            const NAMED: &'static [(&'static str, Self)] = Self::ALL;
            const TEXTS: &'static [&'static [&'static str]] = &[$(&[$($text),+]),+];
        }

        $(impl Default for $Name {
            fn default() -> Self {
                Self::$Default
            }
        })?
    };
}

pub(crate) use choices;

#[cfg(test)]
mod tests {
    use super::Choice;

    choices! {
        /// The sides of a road.
        enum Side as "Side" or Right {
            /// Where Britain drives.
            Left = "left",
            /// Where most others do.
            Right = "right",
        }
    }

    #[test]
    fn a_variant_has_one_name() {
        assert_eq!(
            (Side::Left.written(), Side::default()),
            ("left", Side::Right)
        );
        assert_eq!(Side::NAMED, [("left", Side::Left), ("right", Side::Right)]);
        assert_eq!(
            (Side::TITLE, Side::TEXTS[1]),
            ("Side", [" Where most others do."].as_slice())
        );
    }
}
