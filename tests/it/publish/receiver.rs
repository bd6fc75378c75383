//! A receiver of webhooks, as faulty as the test wants it.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::net::SocketAddr;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::{Value as Json, json};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use super::SECRET;

/// What a receiver does with a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Answer {
    /// It takes it.
    Take,
    /// It takes it, and answers after 20 ms: much is waiting then.
    TakeSlowly,
    /// It takes it and answers that it did not.
    TakeAndFail,
    /// It refuses it.
    Refuse(u16),
    /// It refuses it and says after how many seconds to come again.
    RefuseFor(u16, u64),
    /// It never answers.
    Hang,
}

/// A request.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: String,
    pub(crate) at: Instant,
    pub(crate) answer: Answer,
}

impl Request {
    pub(crate) fn event(&self) -> Json {
        serde_json::from_str(&self.body).expect("JSON")
    }
}

type Behaviour = Box<dyn FnMut(usize, &Json) -> Answer + Send>;

#[derive(Clone)]
struct Shared {
    requests: Arc<Mutex<Vec<Request>>>,
    behaviour: Arc<Mutex<Behaviour>>,
}

/// A receiver.
pub(crate) struct Receiver {
    pub(crate) address: SocketAddr,
    shared: Shared,
    task: Option<JoinHandle<()>>,
}

impl Receiver {
    /// Listens; `behaviour` is told how many requests came before, and the event.
    pub(crate) async fn start(
        behaviour: impl FnMut(usize, &Json) -> Answer + Send + 'static,
    ) -> Self {
        let behaviour: Behaviour = Box::new(behaviour);
        let shared = Shared {
            requests: Arc::default(),
            behaviour: Arc::new(Mutex::new(behaviour)),
        };
        let address = SocketAddr::from(([127, 0, 0, 1], 0));
        let mut receiver = Self {
            address,
            shared,
            task: None,
        };
        receiver.start_again().await;
        receiver
    }

    /// Listens again where it did.
    pub(crate) async fn start_again(&mut self) {
        // Somebody else may have been given the port meanwhile, for a connection of theirs.
        let listener = loop {
            match TcpListener::bind(self.address).await {
                Err(error) if error.kind() == ErrorKind::AddrInUse => {
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
                bound => break bound.expect("the port"),
            }
        };
        self.address = listener.local_addr().expect("an address");
        let app = Router::new()
            .fallback(receive)
            .with_state(self.shared.clone());
        self.task = Some(tokio::spawn(async move {
            axum::serve(listener, app).await.expect("serves");
        }));
    }

    /// Goes away.
    pub(crate) async fn stop(&mut self) {
        if let Some(task) = self.task.take() {
            task.abort();
            drop(task.await);
        }
    }

    pub(crate) fn behave(&self, behaviour: impl FnMut(usize, &Json) -> Answer + Send + 'static) {
        *self.shared.behaviour.lock().expect("unpoisoned") = Box::new(behaviour);
    }

    pub(crate) fn requests(&self) -> Vec<Request> {
        self.shared.requests.lock().expect("unpoisoned").clone()
    }

    /// What it took, in order.
    pub(crate) fn taken(&self) -> Vec<Json> {
        let taken = |request: &Request| {
            matches!(
                request.answer,
                Answer::Take | Answer::TakeSlowly | Answer::TakeAndFail
            )
        };
        self.requests()
            .iter()
            .filter(|request| taken(request))
            .map(Request::event)
            .collect()
    }

    /// The section of a model for it, but for its name.
    pub(crate) fn webhook(&self, more: &str) -> String {
        format!(
            "{{ webhook: {{ url: \"http://{}/hooks\", secret_env: PUBLISH_SECRET{more} }} }}",
            self.address
        )
    }

    /// Verifies all that came with an implementation that is not ours.
    pub(crate) fn verify(&self) {
        let tools =
            std::env::var("CUSTOMER_PROFILE_TOOLS").expect("CUSTOMER_PROFILE_TOOLS: run tests/run");
        let program = concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/tests/clients/python/webhooks.py"
        );
        let input = tempfile::NamedTempFile::new().expect("a file");
        let requests = self.requests();
        let line = |request: &Request| {
            json!({ "headers": request.headers, "body": request.body }).to_string()
        };
        let lines: Vec<String> = requests.iter().map(line).collect();
        std::fs::write(input.path(), lines.join("\n")).expect("a file");
        let mut command = Command::new(format!("{tools}/python"));
        command.arg(program).arg(SECRET).stdin(Stdio::from(
            std::fs::File::open(input.path()).expect("a file"),
        ));
        let output = command.output().expect("python");
        let told = String::from_utf8_lossy(&output.stdout);
        assert_eq!(
            told,
            format!("{} verified\n", requests.len()),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
    }
}

async fn receive(State(shared): State<Shared>, headers: HeaderMap, body: Bytes) -> Response {
    let body = String::from_utf8(body.to_vec()).expect("text");
    let event: Json = serde_json::from_str(&body).expect("JSON");
    let answer = {
        let mut requests = shared.requests.lock().expect("unpoisoned");
        let answer = shared.behaviour.lock().expect("unpoisoned")(requests.len(), &event);
        let text = |value: &axum::http::HeaderValue| value.to_str().expect("text").to_owned();
        let headers = headers
            .iter()
            .map(|(name, value)| (name.to_string(), text(value)))
            .collect();
        requests.push(Request {
            headers,
            body,
            at: Instant::now(),
            answer,
        });
        answer
    };
    let status = |code: u16| StatusCode::from_u16(code).expect("a status");
    match answer {
        Answer::Take => StatusCode::NO_CONTENT.into_response(),
        Answer::TakeSlowly => {
            tokio::time::sleep(Duration::from_millis(20)).await;
            StatusCode::OK.into_response()
        }
        Answer::TakeAndFail => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
        Answer::Refuse(code) => (status(code), "not\nlike this").into_response(),
        Answer::RefuseFor(code, seconds) => {
            (status(code), [("retry-after", seconds.to_string())]).into_response()
        }
        Answer::Hang => std::future::pending().await,
    }
}
