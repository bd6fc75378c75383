//! The format of a file: given, told by its name, or by its first bytes.

use super::input::Input;
use super::options::{Format, Options};
use super::{ReadError, Rows, detect};

/// The format that is declared or told, how it is known, and what to say of it.
pub(super) fn format_of(
    input: &mut Input,
    options: &Options,
) -> Result<(Format, &'static str, Vec<String>), ReadError> {
    let declared = match options {
        Options {
            format: Some(format),
            ..
        } => Some(*format),
        Options {
            separator: Some(_), ..
        }
        | Options { quote: Some(_), .. } => Some(Format::Csv),
        Options { columns, .. } if !columns.is_empty() => Some(Format::Csv),
        _ => None,
    };
    if let Some(format) = declared {
        return Ok((format, "declared", Vec::new()));
    }
    let whole = input.shows_all()?;
    let beginning = input.peek()?;
    let blanks = beginning.len() - beginning.trim_ascii_start().len();
    let detected = detect::detect(&beginning[blanks..], whole, &options.path)
        .map_err(|what| input.error(what))?;
    let note = |name: &String| {
        format!("the file is one JSON object: `--path {name}` reads the rows of its list `{name}`")
    };
    let notes = detected.lists.iter().map(note).collect();
    Ok((detected.format, detected.why, notes))
}

pub(super) fn described(rows: &Rows, format: Format, why: &str, input: &Input) -> String {
    let shape = match (rows, format) {
        (Rows::Csv(rows), _) => format!("CSV ({why}), {}", rows.described()),
        (Rows::Json(rows), _) => format!("{} ({why})", rows.described()),
        (Rows::Ndjson(_), Format::Rejects) => format!("rejected rows ({why})"),
        (Rows::Ndjson(_), _) => format!("NDJSON ({why})"),
    };
    let gzip = if input.is_compressed() {
        "gzip of "
    } else {
        ""
    };
    format!("{gzip}{shape}, in {}", input.encoding())
}
