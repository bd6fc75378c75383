//! SQLite's result codes, in words. Source: SQLite, "Result and Error Codes".

use sqlx::error::DatabaseError;

use crate::store::Error;

/// Sorts an error by its code. What surrounds the database (the disk, the file, memory) is never
/// the fault of a statement.
pub(super) fn from_sqlite(error: &dyn DatabaseError) -> Error {
    let code: u32 = error
        .code()
        .and_then(|code| code.parse().ok())
        .unwrap_or_default();
    from_code(code, error.message())
}

fn from_code(code: u32, message: &str) -> Error {
    // The primary code is the low byte of the extended one.
    match code & 0xff {
        // It has no code of its own for this, and the text is that of the statement, which holds no
        // values.
        1 if message.starts_with("no such ") => Error::Schema(format!(
            "{message}; `customer-profile migrate` brings it up to date"
        )),
        1 => Error::Internal(message.to_owned()),
        5 | 6 => Error::Conflict(described(code)),
        18..=20 => Error::Refused(described(code)),
        3 | 4 | 7..=11 | 13..=15 | 17 | 22 | 23 | 26 => Error::Unavailable(described(code)),
        _ => Error::Internal(described(code)),
    }
}

fn described(code: u32) -> String {
    match extended_in_words(code).or_else(|| primary_in_words(code & 0xff)) {
        Some((name, words)) => format!("{words} (SQLite code {code}, {name})"),
        None => format!("SQLite code {code}"),
    }
}

/// The name of a primary code, and what it means to an operator.
fn primary_in_words(code: u32) -> Option<(&'static str, &'static str)> {
    Some(match code {
        3 => ("SQLITE_PERM", "the file may not be used in this way"),
        4 => ("SQLITE_ABORT", "the statement was cut off"),
        5 => ("SQLITE_BUSY", "another process holds the database's lock"),
        6 => ("SQLITE_LOCKED", "another connection holds a table's lock"),
        7 => ("SQLITE_NOMEM", "there is no memory left"),
        8 => (
            "SQLITE_READONLY",
            "the file, its directory or its file system is read-only",
        ),
        9 => ("SQLITE_INTERRUPT", "the statement was interrupted"),
        10 => ("SQLITE_IOERR", "the disk or the file system failed"),
        11 => ("SQLITE_CORRUPT", "the file is damaged; restore a backup"),
        13 => ("SQLITE_FULL", "the disk is full"),
        14 => (
            "SQLITE_CANTOPEN",
            "the file, its log or its directory cannot be opened",
        ),
        15 => (
            "SQLITE_PROTOCOL",
            "the file cannot be locked; is the file system on a network?",
        ),
        17 => ("SQLITE_SCHEMA", "the schema was changed meanwhile"),
        18 => ("SQLITE_TOOBIG", "a value is too large"),
        19 => ("SQLITE_CONSTRAINT", "a constraint is violated"),
        20 => (
            "SQLITE_MISMATCH",
            "a value has another type than its column",
        ),
        22 => (
            "SQLITE_NOLFS",
            "the file is larger than the file system allows",
        ),
        23 => ("SQLITE_AUTH", "the statement is not allowed"),
        26 => ("SQLITE_NOTADB", "the file is not a SQLite database"),
        _ => return None,
    })
}

/// The name of an extended code that says more than its primary code, and what it means.
fn extended_in_words(code: u32) -> Option<(&'static str, &'static str)> {
    Some(match code {
        266 => (
            "SQLITE_IOERR_READ",
            "the disk or the file system failed to read",
        ),
        522 => (
            "SQLITE_IOERR_SHORT_READ",
            "the file is shorter than it should be",
        ),
        778 => (
            "SQLITE_IOERR_WRITE",
            "the disk failed to write, or a limit on the size of files or a quota is reached",
        ),
        1034 => (
            "SQLITE_IOERR_FSYNC",
            "the disk failed to make a write permanent (fsync)",
        ),
        1290 => (
            "SQLITE_IOERR_DIR_FSYNC",
            "the disk failed to make a directory entry permanent (fsync)",
        ),
        1546 => (
            "SQLITE_IOERR_TRUNCATE",
            "the disk or the file system failed to truncate a file",
        ),
        1802 => (
            "SQLITE_IOERR_FSTAT",
            "the file system failed to tell a file's size",
        ),
        2570 => (
            "SQLITE_IOERR_DELETE",
            "the file system failed to remove a file",
        ),
        3082 => ("SQLITE_IOERR_NOMEM", "there is no memory left"),
        3850 => (
            "SQLITE_IOERR_LOCK",
            "the file system failed to lock the file; is it on a network?",
        ),
        4618 => (
            "SQLITE_IOERR_SHMOPEN",
            "the file for shared memory (-shm) cannot be opened",
        ),
        4874 => (
            "SQLITE_IOERR_SHMSIZE",
            "the file for shared memory (-shm) cannot grow: the disk is full",
        ),
        5130 => (
            "SQLITE_IOERR_SHMLOCK",
            "the file for shared memory (-shm) cannot be locked",
        ),
        5386 => (
            "SQLITE_IOERR_SHMMAP",
            "the file for shared memory (-shm) cannot be mapped; is it on a network?",
        ),
        8458 => ("SQLITE_IOERR_CORRUPTFS", "the file system is damaged"),
        1032 => (
            "SQLITE_READONLY_DBMOVED",
            "the file was moved or replaced while it was in use",
        ),
        1544 => (
            "SQLITE_READONLY_DIRECTORY",
            "the directory is read-only, and the log must be made in it",
        ),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_surrounds_the_database_is_never_the_fault_of_a_statement() {
        for code in [
            3, 4, 7, 8, 9, 10, 11, 13, 14, 15, 17, 22, 23, 26, 778, 1034, 4874, 1032, 8458,
        ] {
            let error = from_code(code, "");
            assert!(matches!(error, Error::Unavailable(_)), "{error}");
            assert!(
                error
                    .to_string()
                    .contains(&format!("(SQLite code {code}, SQLITE_")),
                "{error}"
            );
        }
        for code in [18, 19, 20, 1555, 2067] {
            assert!(matches!(from_code(code, ""), Error::Refused(_)), "{code}");
        }
        assert!(matches!(from_code(517, ""), Error::Conflict(_)));
        assert!(matches!(from_code(1, "no such table: x"), Error::Schema(_)));
        assert!(matches!(from_code(1, "near \"x\""), Error::Internal(_)));
    }

    #[test]
    fn a_code_is_told_in_words() {
        let told = |code| from_code(code, "").to_string();
        assert_eq!(
            told(13),
            "the database is unavailable: the disk is full (SQLite code 13, SQLITE_FULL)"
        );
        assert!(told(26).contains("the file is not a SQLite database"));
        assert!(told(11).contains("the file is damaged"));
        // An extended code that has no words of its own.
        assert!(
            told(6410)
                .contains("the disk or the file system failed (SQLite code 6410, SQLITE_IOERR)")
        );
    }
}
