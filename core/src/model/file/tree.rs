//! A YAML document as a tree in which each node knows its place.
//!
//! A parser into structures stops at the first value that does not fit. A model file is written by
//! hand, and its author wants every mistake at once; so the document is read into a tree first, and
//! the tree is then read leniently.
//!
//! Aliases and several documents in one file are refused, and tags do not count: the model file has
//! no use for them. Without aliases a document is no larger than its text; its depth, its number of
//! values and of keys in one mapping are bounded.

use std::collections::HashMap;

use granit_parser::{Event, Parser, ScalarStyle, Span};

use super::ModelError;

/// Maximum depth of lists and mappings.
const MAX_DEPTH: usize = 32;
/// Maximum number of values and keys.
const MAX_NODES: usize = 100_000;
/// Maximum number of keys in one mapping.
const MAX_KEYS: usize = 5_000;
/// Maximum length of a key, in bytes.
const MAX_KEY_BYTES: usize = 1_000;
/// Maximum number of mistakes that are noted.
const MAX_MISTAKES: usize = 1_000;

/// A value in the file.
#[derive(Debug, Clone)]
pub(super) struct Node {
    pub(super) line: usize,
    pub(super) column: usize,
    pub(super) content: Content,
}

/// What a node holds.
#[derive(Debug, Clone)]
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
#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub(super) key: String,
    pub(super) line: usize,
    pub(super) column: usize,
    pub(super) value: Node,
}

impl Node {
    /// An empty file.
    pub(super) const NOTHING: Self = Self {
        line: 1,
        column: 1,
        content: Content::Null,
    };
    /// The value under these keys.
    pub(super) fn find(&self, path: &[&str]) -> Option<&Self> {
        let [first, rest @ ..] = path else {
            return Some(self);
        };
        let Content::Mapping(entries) = &self.content else {
            return None;
        };
        let entry = entries.iter().find(|entry| entry.key == *first)?;
        entry.value.find(rest)
    }

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
            Ok((event, span)) => {
                builder.take(event, span);
                if builder.stopped {
                    break;
                }
            }
            Err(error) => {
                let marker = error.marker();
                builder.error(
                    marker.line(),
                    marker.col() + 1,
                    format!("is not YAML: {}", error.info()),
                );
                break;
            }
        }
    }
    // A key is found to be a duplicate only after its value was read, with the mistakes in it.
    builder
        .errors
        .sort_by_key(|error| (error.line, error.column));
    match builder.root {
        _ if !builder.errors.is_empty() => Err(builder.errors),
        root => Ok(root.unwrap_or(Node::NOTHING)),
    }
}

/// A key that waits for its value, with line and column.
type Key = (String, usize, usize);

#[derive(Default)]
struct Builder {
    open: Vec<Open>,
    root: Option<Node>,
    errors: Vec<ModelError>,
    nodes: usize,
    /// Nothing more is read.
    stopped: bool,
}

/// A collection that is not closed yet.
struct Open {
    node: Node,
    /// The key that waits for its value.
    waiting: Option<Key>,
    /// The lines of its keys so far.
    lines: HashMap<String, usize>,
}

impl Builder {
    fn take(&mut self, event: Event<'_>, span: Span) {
        let (line, column) = (span.start.line(), span.start.col() + 1);
        let node = |content| Node {
            line,
            column,
            content,
        };
        self.nodes += 1;
        if self.nodes > MAX_NODES {
            self.stop(
                line,
                column,
                format!("has more than {MAX_NODES} values and keys, which are the most that a model may have"),
            );
            return;
        }
        match event {
            Event::Scalar(text, style, ..) => {
                let plain = style == ScalarStyle::Plain;
                let null = plain && matches!(text.as_ref(), "" | "~" | "null");
                let scalar = Content::Scalar {
                    text: text.into_owned(),
                    plain,
                };
                self.add(node(if null { Content::Null } else { scalar }));
            }
            Event::SequenceStart(..) => self.open(node(Content::Sequence(Vec::new()))),
            Event::MappingStart(..) => self.open(node(Content::Mapping(Vec::new()))),
            Event::SequenceEnd | Event::MappingEnd => {
                if let Some(closed) = self.open.pop() {
                    self.add(closed.node);
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
        let Some(open) = self.open.last_mut() else {
            self.root.get_or_insert(node);
            return;
        };
        match &mut open.node.content {
            Content::Sequence(values) => values.push(node),
            Content::Mapping(_) => match open.waiting.take() {
                Some(key) => self.add_entry(key, node),
                None => self.add_key(node),
            },
            Content::Null | Content::Scalar { .. } => {}
        }
    }

    /// Adds a value under the key that waited for it.
    fn add_entry(&mut self, (key, line, column): Key, value: Node) {
        let Some(open) = self.open.last_mut() else {
            return;
        };
        let Content::Mapping(entries) = &mut open.node.content else {
            return;
        };
        let first = open.lines.get(&key).copied();
        if first.is_none() {
            open.lines.insert(key.clone(), line);
        }
        let twice = first.map(|first| format!("`{key}` stands twice, first in line {first}"));
        entries.push(Entry {
            key,
            line,
            column,
            value,
        });
        let is_full = entries.len() > MAX_KEYS;
        if let Some(message) = twice {
            self.error(line, column, message);
        }
        if is_full {
            let message = format!("a mapping has at most {MAX_KEYS} keys");
            self.stop(line, column, message);
        }
    }

    /// Lets a key wait for its value.
    fn add_key(&mut self, node: Node) {
        let Node {
            line,
            column,
            content,
        } = node;
        let key = match content {
            Content::Scalar { text, .. } => text,
            Content::Null => "null".to_owned(),
            Content::Sequence(_) | Content::Mapping(_) => {
                let message = "a key must be a single value";
                self.errors.push(ModelError::new(line, column, message));
                String::new()
            }
        };
        if key.len() > MAX_KEY_BYTES {
            let length = key.len();
            let message = format!("a key has {length} bytes: at most {MAX_KEY_BYTES} are allowed");
            self.stop(line, column, message);
        } else if let Some(open) = self.open.last_mut() {
            open.waiting = Some((key, line, column));
        }
    }

    fn open(&mut self, node: Node) {
        if self.open.len() >= MAX_DEPTH {
            let (line, column) = (node.line, node.column);
            self.stop(
                line,
                column,
                format!("nests deeper than the limit of {MAX_DEPTH}"),
            );
            return;
        }
        self.open.push(Open {
            node,
            waiting: None,
            lines: HashMap::new(),
        });
    }

    fn error(&mut self, line: usize, column: usize, message: impl Into<String>) {
        self.errors.push(ModelError::new(line, column, message));
        self.stopped |= self.errors.len() >= MAX_MISTAKES;
    }

    fn stop(&mut self, line: usize, column: usize, message: impl Into<String>) {
        self.error(line, column, message);
        self.stopped = true;
    }
}
