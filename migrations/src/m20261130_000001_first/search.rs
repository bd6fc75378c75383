//! Search by words: the terms of records, and the distinct words among them.

pub(crate) const STATEMENTS: &[&str] = &[
    // Primary key: records with a term that begins with a prefix.
    "CREATE TABLE record_term (
        tenant {text} NOT NULL,
        term {text} NOT NULL,
        trait {text} NOT NULL,
        source {text} NOT NULL,
        record_key {text} NOT NULL,
        CONSTRAINT record_term_pk PRIMARY KEY (tenant, term, trait, source, record_key)
    ) {narrow}",
    // Follows `record_term`: each of its words that has a spelling, once. Primary key: words that
    // begin alike.
    "CREATE TABLE search_word (
        tenant {text} NOT NULL,
        term {text} NOT NULL,
        reversed {text} NOT NULL,
        sound {text} NOT NULL,
        CONSTRAINT search_word_pk PRIMARY KEY (tenant, term)
    ) {narrow}",
    // Words that sound alike.
    "CREATE INDEX search_word_by_sound ON search_word (tenant, sound, term)",
    // Words that end alike.
    "CREATE INDEX search_word_by_end ON search_word (tenant, reversed)",
];
