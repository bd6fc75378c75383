//! Backups and what comes of restoring them.

mod postgres;
