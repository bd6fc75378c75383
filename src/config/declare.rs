//! A key of the configuration and the macro that makes of one declaration the
//! struct of its section, its reading and its entry in the manual.

/// A key, besides its type.
pub(super) struct Key {
    pub(super) section: &'static str,
    pub(super) name: &'static str,
    pub(super) default: &'static str,
    pub(super) bare: bool,
    pub(super) form: &'static str,
    pub(super) range: Option<(&'static str, &'static str)>,
    pub(super) doc: &'static [&'static str],
}

/// A section and its keys.
pub(super) struct Section {
    pub(super) name: &'static str,
    pub(super) doc: &'static [&'static str],
    pub(super) keys: &'static [Key],
}

macro_rules! range {
    () => {
        None
    };
    ($low:literal, $high:literal) => {
        Some(($low, $high))
    };
}

macro_rules! sections {
    ($(
        $(#[doc = $about:literal])+
        $section:ident: $Section:ident {$(
            $(#[doc = $doc:literal])+
            $key:ident: $kind:ty = $default:literal as $form:ident $(in $low:literal, $high:literal)?;
        )+}
    )+) => {
        $(
            $(#[doc = $about])+
            #[derive(Debug, Clone, PartialEq)]
            pub struct $Section {$(
                $(#[doc = $doc])+
                pub $key: $kind,
            )+}

            impl $Section {
                fn read(reader: &mut Reader) -> Option<Self> {
                    // All keys are read before any missing one ends the section: every error is
                    // reported.
                    $(let $key = reader.read(stringify!($section), stringify!($key), &$form, $default, range!($($low, $high)?));)+
                    Some(Self { $($key: $key?,)+ })
                }
            }
        )+

        /// The whole configuration.
        #[derive(Debug, Clone, PartialEq)]
        pub struct Config {$(
            $(#[doc = $about])+
            pub $section: $Section,
        )+}

        impl Config {
            pub(super) fn read(reader: &mut Reader) -> Option<Self> {
                $(let $section = $Section::read(reader);)+
                Some(Self { $($section: $section?,)+ })
            }

            /// The keys (`section.key`) whose values differ from those of another configuration.
            #[must_use]
            #[expect(clippy::float_cmp, reason = "both were read from a text; equal texts are equal numbers")]
            pub fn differences(&self, other: &Self) -> Vec<&'static str> {
                let keys = [$($((
                    concat!(stringify!($section), ".", stringify!($key)),
                    self.$section.$key != other.$section.$key,
                )),+),+];
                keys.into_iter().filter_map(|(key, differs)| differs.then_some(key)).collect()
            }
        }

        /// All sections in the order of the manual.
        pub(super) const SECTIONS: &[Section] = &[$(Section {
            name: stringify!($section),
            doc: &[$($about),+],
            keys: &[$(Key {
                section: stringify!($section),
                name: stringify!($key),
                default: $default,
                bare: $form.bare,
                form: $form.name,
                range: range!($($low, $high)?),
                doc: &[$($doc),+],
            }),+],
        }),+];
    };
}

pub(super) use {range, sections};
