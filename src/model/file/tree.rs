//! A YAML document as a tree in which each node knows its place.
//!
//! A parser into structures stops at the first value that does not fit. A model file is written by hand, and its author
//! wants every mistake at once; so the document is read into a tree first, and the tree is then read leniently.
//!
//! Aliases and several documents in one file are refused, and tags do not count: the model file has no use for them.

use serde_saphyr::granit_parser::{Event, Parser, Span};

use super::ModelError;

/// A value in the file.
#[derive(Debug)]
pub(super) struct Node {
    pub(super) line: usize,
    pub(super) column: usize,
    pub(super) content: Content,
}

/// What a node holds.
#[derive(Debug)]
pub(super) enum Content {
    Null,
    Scalar {
        text: String,
        /// Without quotes: may be a number or a boolean.
        plain: bool,
    },
    Sequence(Vec<Node>),
    Mapping(Vec<Entry>),
}

/// A key with its value.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) key: String,
    pub(super) line: usize,
    pub(super) column: usize,
    pub(super) value: Node,
}

impl Node {
    /// What it is, for messages.
    pub(super) fn kind(&self) -> &'static str {
        match self.content {
            Content::Null => "nothing",
            Content::Scalar { .. } => "a single value",
            Content::Sequence(_) => "a list",
            Content::Mapping(_) => "a mapping",
        }
    }
}

/// Reads a document.
///
/// # Errors
/// The first place where it is not YAML, or all keys that stand twice.
pub(super) fn read(yaml: &str) -> Result<Node, Vec<ModelError>> {
    let mut builder = Builder::default();
    for event in Parser::new_from_str(yaml) {
        match event {
            Ok((event, span)) => builder.take(event, span),
            Err(error) => {
                let marker = error.marker();
                builder.error(marker.line(), marker.col() + 1, format!("is not YAML: {}", error.info()));
                break;
            }
        }
    }
    match builder.root {
        _ if !builder.errors.is_empty() => Err(builder.errors),
        Some(root) => Ok(root),
        None => Ok(Node { line: 1, column: 1, content: Content::Null }),
    }
}

/// A key that waits for its value, with line and column.
type Key = (String, usize, usize);

#[derive(Default)]
struct Builder {
    /// Collections that are not closed yet, with the key that waits for its value.
    open: Vec<(Node, Option<Key>)>,
    root: Option<Node>,
    errors: Vec<ModelError>,
}

impl Builder {
    fn take(&mut self, event: Event<'_>, span: Span) {
        let (line, column) = (span.start.line(), span.start.col() + 1);
        let node = |content| Node { line, column, content };
        match event {
            Event::Scalar(text, style, ..) => {
                let plain = style == serde_saphyr::granit_parser::ScalarStyle::Plain;
                let null = plain && matches!(text.as_ref(), "" | "~" | "null");
                let scalar = Content::Scalar { text: text.into_owned(), plain };
                self.add(node(if null { Content::Null } else { scalar }));
            }
            Event::SequenceStart(..) => self.open.push((node(Content::Sequence(Vec::new())), None)),
            Event::MappingStart(..) => self.open.push((node(Content::Mapping(Vec::new())), None)),
            Event::SequenceEnd | Event::MappingEnd => {
                if let Some((closed, _)) = self.open.pop() {
                    self.add(closed);
                }
            }
            Event::Alias(_) | Event::UnresolvedAlias(_) => {
                self.error(line, column, "aliases are not taken: write the value out");
                self.add(node(Content::Null));
            }
            Event::DocumentStart(..) if self.root.is_some() => {
                self.error(line, column, "a second document: a model is one document");
            }
            _ => {}
        }
    }

    fn add(&mut self, node: Node) {
        let Some((parent, waiting)) = self.open.last_mut() else {
            self.root.get_or_insert(node);
            return;
        };
        match &mut parent.content {
            Content::Sequence(values) => values.push(node),
            Content::Mapping(entries) => {
                if let Some((key, line, column)) = waiting.take() {
                    if let Some(first) = entries.iter().find(|entry| entry.key == key) {
                        let message = format!("`{key}` stands twice, first in line {}", first.line);
                        self.errors.push(ModelError::new(line, column, message));
                    }
                    entries.push(Entry { key, line, column, value: node });
                } else {
                    let Node { line, column, content } = node;
                    let key = match content {
                        Content::Scalar { text, .. } => text,
                        Content::Null => "null".to_owned(),
                        Content::Sequence(_) | Content::Mapping(_) => {
                            self.errors.push(ModelError::new(line, column, "a key must be a single value"));
                            String::new()
                        }
                    };
                    *waiting = Some((key, line, column));
                }
            }
            Content::Null | Content::Scalar { .. } => {}
        }
    }

    fn error(&mut self, line: usize, column: usize, message: impl Into<String>) {
        self.errors.push(ModelError::new(line, column, message));
    }
}
