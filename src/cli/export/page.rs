//! An export as a page for people: one file, without scripts or anything from elsewhere.

use std::fmt::Write;

use crate::cli::output;
use crate::grpc::v1::{self, export_profile_response::Part};

/// The page so far: a part of it for each kind of what is known.
#[derive(Debug, Default)]
pub(super) struct Page {
    profile: String,
    statements: String,
    memberships: String,
    events: String,
    decisions: String,
    changes: String,
    segments: String,
    end: String,
}

impl Page {
    /// Adds a part.
    pub(super) fn add(&mut self, part: &v1::ExportProfileResponse) -> anyhow::Result<()> {
        let time =
            |time: Option<&prost_types::Timestamp>| time.map(output::time).unwrap_or_default();
        match &part.part {
            Some(Part::Profile(profile)) => {
                self.profile =
                    format!("<pre>{}</pre>", escaped(&output::json("Profile", profile)?));
            }
            Some(Part::Statement(said)) => {
                let record = output::record(said.record.as_ref());
                let cells = [time(said.receive_time.as_ref()), record, said.json.clone()];
                row(&mut self.statements, &cells);
            }
            Some(Part::Membership(change)) => {
                let record = output::record(change.record.as_ref());
                let (profile, reason) = (change.profile.clone(), change.reason.clone());
                let cells = [time(change.change_time.as_ref()), record, profile, reason];
                row(&mut self.memberships, &cells);
            }
            Some(Part::Event(event)) => {
                let record = output::record(event.record.as_ref());
                let (kind, json) = (event.r#type.clone(), output::json_line("Event", event)?);
                row(
                    &mut self.events,
                    &[time(event.sort_time.as_ref()), kind, record, json],
                );
            }
            Some(Part::Decision(decision)) => {
                let json = output::json_line("Decision", decision)?;
                row(
                    &mut self.decisions,
                    &[time(decision.create_time.as_ref()), json],
                );
            }
            Some(Part::IdentityChange(change)) => {
                let json = output::json_line("IdentityChange", change)?;
                row(
                    &mut self.changes,
                    &[time(change.change_time.as_ref()), json],
                );
            }
            Some(Part::Segment(stay)) => {
                let (enter, exit) = (
                    time(stay.enter_time.as_ref()),
                    time(stay.exit_time.as_ref()),
                );
                row(&mut self.segments, &[stay.segment.clone(), enter, exit]);
            }
            Some(Part::Manifest(manifest)) => {
                self.end = format!(
                    "<pre>{}</pre>",
                    escaped(&output::json("ExportManifest", manifest)?)
                );
            }
            None => {}
        }
        Ok(())
    }

    /// The whole page.
    pub(super) fn finish(self) -> String {
        let mut page = String::from(
            "<!doctype html>\n<html lang=\"en\">\n<head><meta charset=\"utf-8\">\
             <title>All that is known</title></head>\n<body>\n<h1>All that is known</h1>\n",
        );
        section(&mut page, "Profile, with its records", &self.profile);
        table(
            &mut page,
            "Events",
            &["time (UTC)", "event", "record", "as it is known"],
            &self.events,
        );
        table(
            &mut page,
            "Statements of sources",
            &["received (UTC)", "record", "as it was said"],
            &self.statements,
        );
        table(
            &mut page,
            "Segments",
            &["segment", "entered (UTC)", "left (UTC)"],
            &self.segments,
        );
        table(
            &mut page,
            "Records and their profiles",
            &["time (UTC)", "record", "profile", "reason"],
            &self.memberships,
        );
        table(
            &mut page,
            "Decisions about who is who",
            &["time (UTC)", "decision"],
            &self.decisions,
        );
        table(
            &mut page,
            "Merges and splits",
            &["time (UTC)", "change"],
            &self.changes,
        );
        section(&mut page, "Manifest", &self.end);
        page.push_str("</body>\n</html>");
        page
    }
}

fn section(page: &mut String, title: &str, content: &str) {
    write(page, format_args!("<h2>{title}</h2>\n{content}\n"));
}

fn table(page: &mut String, title: &str, columns: &[&str], rows: &str) {
    if rows.is_empty() {
        section(page, title, "<p>None.</p>");
        return;
    }
    let mut head = String::new();
    for name in columns {
        write(&mut head, format_args!("<th>{name}</th>"));
    }
    section(
        page,
        title,
        &format!("<table>\n<tr>{head}</tr>\n{rows}</table>"),
    );
}

fn row(rows: &mut String, cells: &[String]) {
    rows.push_str("<tr>");
    for cell in cells {
        write(rows, format_args!("<td>{}</td>", escaped(cell)));
    }
    rows.push_str("</tr>\n");
}

fn write(text: &mut String, arguments: std::fmt::Arguments<'_>) {
    // Writing to a text does not fail.
    let _infallible = text.write_fmt(arguments);
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
        .replace('\'', "&#39;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_customer_said_is_text_on_the_page() {
        let event = v1::Event {
            r#type: "<script>alert('&')</script>".to_owned(),
            ..v1::Event::default()
        };
        let mut page = Page::default();
        let part = v1::ExportProfileResponse {
            part: Some(Part::Event(event)),
            resume_token: String::new(),
        };
        page.add(&part).expect("a part");
        let page = page.finish();
        assert!(!page.contains("<script>"), "{page}");
        assert!(
            page.contains("&lt;script&gt;alert(&#39;&amp;&#39;)"),
            "{page}"
        );
        assert!(page.contains("<h2>Segments</h2>\n<p>None.</p>"), "{page}");
    }
}
