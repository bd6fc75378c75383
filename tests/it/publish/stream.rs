//! A NATS server with a stream.

use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use async_nats::jetstream::stream::{Config, Stream};
use serde_json::Value as Json;
use tempfile::TempDir;

use super::PATIENCE;

/// A NATS server; it ends when it is dropped.
pub(crate) struct NatsServer {
    dir: TempDir,
    port: u16,
    arguments: Vec<&'static str>,
    child: Option<Child>,
}

impl NatsServer {
    pub(crate) fn start() -> Self {
        Self::start_with(&[])
    }

    /// Starts a server with arguments of its own.
    pub(crate) fn start_with(arguments: &[&'static str]) -> Self {
        let dir = TempDir::with_prefix("cp-nats-").expect("a directory");
        let port = std::net::TcpListener::bind("127.0.0.1:0")
            .expect("a port")
            .local_addr()
            .expect("an address")
            .port();
        let mut server = Self {
            dir,
            port,
            arguments: arguments.to_vec(),
            child: None,
        };
        server.start_again();
        server
    }

    /// Brings it back, with its data.
    pub(crate) fn start_again(&mut self) {
        let tools = std::env::var_os("CUSTOMER_PROFILE_TOOLS")
            .expect("CUSTOMER_PROFILE_TOOLS: run tests/run");
        let log = self.dir.path().join("log");
        let mut command = Command::new(PathBuf::from(tools).join("nats-server"));
        command
            .args([
                "-js",
                "-a",
                "127.0.0.1",
                "-p",
                &self.port.to_string(),
                "-sd",
            ])
            .arg(self.dir.path().join("data"));
        command
            .arg("-l")
            .arg(&log)
            .args(&self.arguments)
            .stdin(Stdio::null());
        let mut child = command
            .spawn()
            .expect("nats-server: run tests/run, which installs it");
        let began_at = Instant::now();
        while std::net::TcpStream::connect(("127.0.0.1", self.port)).is_err() {
            assert!(
                began_at.elapsed() < PATIENCE,
                "{}",
                std::fs::read_to_string(&log).unwrap_or_default()
            );
            std::thread::sleep(Duration::from_millis(20));
            // Somebody else may have been given the port meanwhile, for a connection of theirs.
            if child.try_wait().expect("a child's state").is_some() {
                child = command.spawn().expect("nats-server");
            }
        }
        self.child = Some(child);
    }

    /// `kill -9`.
    pub(crate) fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().expect("it is killed");
            child.wait().expect("it ends");
        }
    }

    pub(crate) fn url(&self) -> String {
        format!("nats://127.0.0.1:{}", self.port)
    }

    /// The section of a model for it, but for its name.
    pub(crate) fn publication(&self, more: &str) -> String {
        format!(
            "{{ nats: {{ url: \"{}\", subject: \"customers.{{tenant}}.{{kind}}\"{more} }} }}",
            self.url()
        )
    }

    /// Makes the stream. It drops doubles by their ids, however long a test takes.
    pub(crate) async fn make_stream(&self) {
        self.make_stream_for(-1).await;
    }

    /// Makes the stream, or changes it, for messages of so many bytes; -1: any.
    pub(crate) async fn make_stream_for(&self, max_message_size: i32) {
        let context = async_nats::jetstream::new(
            async_nats::connect(self.url()).await.expect("a connection"),
        );
        let (name, subjects) = ("CUSTOMERS".to_owned(), vec!["customers.>".to_owned()]);
        let duplicate_window = Duration::from_hours(1);
        let config = Config {
            name,
            subjects,
            max_message_size,
            duplicate_window,
            ..Config::default()
        };
        context
            .create_or_update_stream(config)
            .await
            .expect("a stream");
    }

    async fn stream(&self) -> Stream {
        let context = async_nats::jetstream::new(
            async_nats::connect(self.url()).await.expect("a connection"),
        );
        context.get_stream("CUSTOMERS").await.expect("the stream")
    }

    /// All messages in order, each with its subject.
    pub(crate) async fn messages(&self) -> Vec<(String, Json)> {
        let mut stream = self.stream().await;
        let last = stream.info().await.expect("the stream").state.last_sequence;
        let mut messages = Vec::new();
        for sequence in 1..=last {
            let message = stream.get_raw_message(sequence).await.expect("a message");
            let event: Json = serde_json::from_slice(&message.payload).expect("JSON");
            let id = message
                .headers
                .get("Nats-Msg-Id")
                .expect("an id")
                .to_string();
            assert_eq!(event["id"], id.as_str());
            messages.push((message.subject.to_string(), event));
        }
        messages
    }
}

impl NatsServer {
    /// A header of the first message.
    pub(crate) async fn header(&self, name: &str) -> String {
        let message = self.stream().await.get_raw_message(1).await;
        let headers = message.expect("a message").headers;
        headers.get(name).expect("the header").to_string()
    }
}

impl Drop for NatsServer {
    fn drop(&mut self) {
        self.kill();
    }
}
