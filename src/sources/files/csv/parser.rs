//! The parser of records: its separator and quotes, and what ends a record.

use csv_core::{Reader, ReaderBuilder};
use profile_core::records::{Reason, Violation};

use super::{MAX_COLUMNS, separator};
use crate::sources::files::input::Input;
use crate::sources::files::options::{Options, Quote, Separator};
use crate::sources::files::{MAX_ROW_BYTES, ReadError};

/// How a record ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// As it should.
    Whole,
    /// It has more bytes or columns than a row may have.
    TooLong,
    /// A quote is open at the end of the file.
    OpenQuote,
}

/// The fault of a row that does not end as it should.
pub(super) fn fault_of(end: End) -> Violation {
    if end == End::OpenQuote {
        let what = "has a quote that is left open to the end of the file";
        return Violation::new(Reason::Malformed, "row", what);
    }
    let what = format!(
        "is longer than {MAX_ROW_BYTES} bytes or {MAX_COLUMNS} columns: is a quote left open?"
    );
    Violation::new(Reason::LimitExceeded, "row", what)
}

/// The separator that is declared, by the caller or by the file, or told; and how it is known.
pub(super) fn separator_of(
    input: &mut Input,
    options: &Options,
) -> Result<(Separator, &'static str), ReadError> {
    let by_file = separator::declared(input.peek()?);
    if let Some((_, length)) = by_file {
        input.pass(length);
    }
    match (options.separator, by_file) {
        (Some(separator), _) => Ok((separator, "declared")),
        (None, Some((separator, _))) => Ok((Separator::Byte(separator), "by its line `sep=`")),
        (None, None) => {
            let quote = options.quote.unwrap_or(Quote::Byte(b'"'));
            let whole = input.shows_all()?;
            let known = separator::told(input.peek()?, whole, quote, options.escape)
                .map_err(|what| input.error(what))?;
            Ok((known.separator, known.why))
        }
    }
}

/// A parser of one line after another.
pub(super) fn parser(
    builder: &mut ReaderBuilder,
    separator: u8,
    quote: Quote,
    escape: Option<u8>,
) -> Reader {
    builder.delimiter(separator).escape(escape);
    match quote {
        Quote::Byte(quote) => builder.quote(quote).double_quote(escape.is_none()),
        Quote::None => builder.quoting(false),
    };
    builder.build()
}
