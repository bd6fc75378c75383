//! Options of how files are read.

use encoding_rs::Encoding;

use crate::sources::files::Options;
use crate::sources::files::options::{self, Format, Quote, Separator};

/// The file's content decides what is not declared; a file that leaves doubt is refused
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "How files are read")]
pub(super) struct ReadingArgs {
    /// Format of the files: csv, ndjson, json or rejects; default: told from the content
    #[arg(long, value_name = "FORMAT")]
    format: Option<Format>,

    /// Separator of CSV: one character, `tab` or `blanks`; default: told from the first rows
    #[arg(long, value_name = "CHARACTER", allow_hyphen_values = true)]
    separator: Option<Separator>,

    /// Quote of CSV: one character, or `none`; default: "
    #[arg(long, value_name = "CHARACTER")]
    quote: Option<Quote>,

    /// Character that escapes a quote within quotes, such as \; default: quotes are doubled
    #[arg(long, value_name = "CHARACTER", value_parser = options::escape)]
    escape: Option<u8>,

    /// Encoding, such as windows-1252 or utf-16le; default: by the file's mark, else UTF-8
    #[arg(long, value_name = "LABEL", value_parser = options::encoding)]
    encoding: Option<&'static Encoding>,

    /// Number of lines before the header
    #[arg(long, value_name = "N", default_value_t = 0)]
    skip_lines: u32,

    /// Names of the columns of a CSV file that has no header
    #[arg(long, value_name = "NAME,…", value_delimiter = ',')]
    columns: Vec<String>,

    /// Names that lead to the list of rows within a JSON object, such as data.customers
    #[arg(long, value_name = "NAME.…", value_delimiter = '.')]
    path: Vec<String>,

    /// Import files that lack columns which the mapping reads, as if these were empty
    #[arg(long)]
    pub(super) allow_missing_columns: bool,

    /// Exit with code 0 even if a file has no rows
    #[arg(long)]
    pub(super) allow_empty: bool,
}

impl ReadingArgs {
    pub(super) fn options(&self) -> Options {
        Options {
            format: self.format,
            separator: self.separator,
            quote: self.quote,
            escape: self.escape,
            encoding: self.encoding,
            skip_lines: self.skip_lines.into(),
            columns: self.columns.clone(),
            path: self.path.clone(),
        }
    }
}
