//! Why a value was not read.

/// Why a value is not in the normal form of its type. It is kept as it was said and links nobody.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, thiserror::Error)]
pub enum Unread {
    /// A telephone number without digits.
    #[error("is no telephone number: it has no digits")]
    NoDigits,
    /// Letters that are neither a label nor an extension.
    #[error("is no telephone number: it has letters or signs that are not part of one")]
    Letters,
    /// A number that a spreadsheet rounded.
    #[error("is a telephone number that a spreadsheet rounded: some of its digits are lost")]
    Rounded,
    /// More than one telephone number, of which at least one cannot be read.
    #[error("has several telephone numbers, and not all of them can be read")]
    SeveralNumbers,
    /// A number that fits no numbering plan.
    #[error("does not fit the numbering plan of its country in length and leading digits")]
    NoPlan,
    /// A number that may lack its area code.
    #[error(
        "has neither a country code nor a trunk prefix and may be a local number without area code"
    )]
    Local,
    /// A number that can be read in two ways.
    #[error("can be read as two different telephone numbers")]
    AmbiguousNumber,
    /// A national number of a country that is not known.
    #[error("has no country code, and the country of its record has no known numbering plan")]
    NoRegion,
    /// A value beside a note that denies it.
    #[error("has a note beside it that says that it is not, or no longer, in use")]
    Denied,
    /// A number with letters in it.
    #[error("is no number: it has letters or signs that are not separators of digits")]
    NotDigits,
    /// A text without an e-mail address.
    #[error("is no e-mail address")]
    NoAddress,
    /// More than one e-mail address, of which at least one cannot be read.
    #[error("has several e-mail addresses, and not all of them can be read")]
    SeveralAddresses,
    /// A domain that breaks the rules of IDNA.
    #[error("has a domain that cannot exist")]
    NoDomain,
}
