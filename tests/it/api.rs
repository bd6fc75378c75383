//! The API as its callers see it, over a real connection.

mod contexts;
mod corrections;
mod decisions;
mod errors;
mod events;
mod follow;
mod horizon;
mod identity;
mod notes;
mod objects;
mod past;
mod preferences;
mod profiles;
mod purposes;
mod segments;
mod streams;
mod timeline;
mod watch;
