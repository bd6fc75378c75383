//! The password in a file of its own, read anew while the server runs: secrets are rotated without
//! a restart.

use std::path::Path;

use crate::store::{Error, Result};

/// Reads the password. A line end after it is not part of it.
///
/// # Errors
/// [`Error::Unavailable`], since a secret that is being replaced may be missing for a moment.
pub(in crate::store::sql) async fn read(path: &Path) -> Result<String> {
    let unreadable = |error: &dyn std::fmt::Display| {
        Error::Unavailable(format!(
            "the password file {} cannot be read: {error}",
            path.display()
        ))
    };
    let mut text = tokio::fs::read_to_string(path)
        .await
        .map_err(|error| unreadable(&error))?;
    text.truncate(text.trim_end_matches(['\r', '\n']).len());
    if text.is_empty() {
        return Err(unreadable(&"it is empty"));
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_line_end_is_not_part_of_a_password_and_an_empty_file_holds_none() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("password");
        for (text, password) in [
            ("s3 cret\n", Some("s3 cret")),
            ("x\r\n", Some("x")),
            ("y", Some("y")),
            ("\n", None),
        ] {
            std::fs::write(&path, text).expect("a file");
            assert_eq!(read(&path).await.ok().as_deref(), password, "{text:?}");
        }
        let error = read(&dir.path().join("none"))
            .await
            .expect_err("there is no such file")
            .to_string();
        assert!(error.contains("none cannot be read"), "{error}");
    }
}
