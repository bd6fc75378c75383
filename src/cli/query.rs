//! The frame of commands that ask a server: connect, ask, print the answer.

use std::process::ExitCode;

use super::client::{Client, ServerArgs};
use super::output::{self, Format};

/// The server to ask, and the form of the answer.
#[derive(Debug, Clone, clap::Args)]
pub(super) struct QueryArgs {
    /// How to print the answer
    #[arg(long, value_enum, default_value_t)]
    pub(super) output: Format,

    #[command(flatten)]
    server: ServerArgs,
}

impl QueryArgs {
    /// A connection to the server.
    pub(super) async fn connect(&self) -> anyhow::Result<Client> {
        self.server.connect().await
    }

    /// Prints an answer: as JSON under the name of its message, or as `show` renders it.
    pub(super) fn print<T: prost::Message>(
        &self,
        message: &str,
        answer: &T,
        show: impl FnOnce(&T) -> anyhow::Result<String>,
    ) -> anyhow::Result<ExitCode> {
        match self.output {
            Format::Json => output::print_json(message, answer)?,
            Format::Table => output::print(&show(answer)?)?,
        }
        Ok(ExitCode::SUCCESS)
    }
}
