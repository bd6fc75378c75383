//! `model plan`, `model apply`, `model train` on a server, with progress on standard error.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, anyhow, bail};
use indicatif::{ProgressBar, ProgressStyle};
use tonic::{Status, Streaming};

use super::report;
use crate::cli::client::{Client, answered, refused};
use crate::cli::query::QueryArgs;
use crate::grpc::v1::{
    self, apply_model_response, model_candidate, plan_model_response, train_model_response,
};

/// A model to plan or apply.
#[derive(Debug, clap::Args)]
pub(super) struct CandidateArgs {
    /// Model file (YAML)
    #[arg(required_unless_present = "version", conflicts_with = "version")]
    file: Option<PathBuf>,

    /// Stored version instead of a file
    #[arg(long, value_name = "VERSION")]
    version: Option<i64>,

    /// Origin of the match weights: running (default for a file), shipped, or a version
    #[arg(long, value_name = "running|shipped|VERSION")]
    weights: Option<WeightsChoice>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum WeightsChoice {
    Running,
    Shipped,
    Of(i64),
}

impl std::str::FromStr for WeightsChoice {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "running" => Ok(Self::Running),
            "shipped" => Ok(Self::Shipped),
            version => version
                .parse()
                .map(Self::Of)
                .map_err(|_| "expected running, shipped or a version".to_owned()),
        }
    }
}

impl CandidateArgs {
    async fn read(self, client: &Client) -> anyhow::Result<v1::ModelCandidate> {
        let content = match (self.file, self.version) {
            (Some(file), _) => {
                let text =
                    std::fs::read_to_string(&file).with_context(|| file.display().to_string())?;
                model_candidate::Content::File(text)
            }
            (None, Some(version)) => model_candidate::Content::Version(version),
            (None, None) => bail!("a model file or --version is needed"),
        };
        let weights = match (self.weights, &content) {
            (None, _) | (Some(WeightsChoice::Running), model_candidate::Content::File(_)) => None,
            (Some(WeightsChoice::Shipped), _) => {
                Some(model_candidate::Weights::ShippedWeights(true))
            }
            (Some(WeightsChoice::Of(version)), _) => {
                Some(model_candidate::Weights::WeightsOfVersion(version))
            }
            (Some(WeightsChoice::Running), model_candidate::Content::Version(_)) => {
                let request = client.request(v1::GetModelRequest::default())?;
                let running = answered(client.models().get_model(request).await)?;
                let version = running.model.unwrap_or_default().version;
                Some(model_candidate::Weights::WeightsOfVersion(version))
            }
        };
        Ok(v1::ModelCandidate {
            content: Some(content),
            weights,
        })
    }
}

pub(super) async fn plan(args: CandidateArgs, query: &QueryArgs) -> anyhow::Result<ExitCode> {
    let client = query.connect().await?;
    let request = v1::PlanModelRequest {
        candidate: Some(args.read(&client).await?),
    };
    let stream = client
        .models()
        .plan_model(client.long_request(request)?)
        .await;
    let plan = last(stream, |answer: v1::PlanModelResponse| {
        match answer.message {
            Some(plan_model_response::Message::Progress(progress)) => Message::Progress(progress),
            Some(plan_model_response::Message::Mistakes(mistakes)) => Message::Mistakes(mistakes),
            Some(plan_model_response::Message::Plan(plan)) => Message::Last(plan),
            None => Message::Nothing,
        }
    });
    let plan = plan.await?;
    query.print("ModelPlan", &plan, |plan| Ok(report::plan(plan)))
}

pub(super) async fn apply(
    args: CandidateArgs,
    expected_version: Option<i64>,
    query: &QueryArgs,
) -> anyhow::Result<ExitCode> {
    let client = query.connect().await?;
    let candidate = Some(args.read(&client).await?);
    let expected_version = expected_version.unwrap_or_default();
    let request = v1::ApplyModelRequest {
        candidate,
        expected_version,
        request_id: String::new(),
    };
    let stream = client
        .models()
        .apply_model(client.long_request(request)?)
        .await;
    let result = last(stream, |answer: v1::ApplyModelResponse| {
        match answer.message {
            Some(apply_model_response::Message::Progress(progress)) => Message::Progress(progress),
            Some(apply_model_response::Message::Mistakes(mistakes)) => Message::Mistakes(mistakes),
            Some(apply_model_response::Message::Result(result)) => Message::Last(result),
            None => Message::Nothing,
        }
    });
    let result = result.await?;
    query.print("ApplyModelResult", &result, |result| {
        Ok(report::result(result))
    })
}

pub(super) async fn train(query: &QueryArgs) -> anyhow::Result<ExitCode> {
    let client = query.connect().await?;
    let stream = client
        .models()
        .train_model(client.long_request(v1::TrainModelRequest::default())?)
        .await;
    let result = last(stream, |answer: v1::TrainModelResponse| {
        match answer.message {
            Some(train_model_response::Message::Progress(progress)) => Message::Progress(progress),
            Some(train_model_response::Message::Result(result)) => Message::Last(result),
            None => Message::Nothing,
        }
    });
    let result = result.await?;
    query.print("TrainModelResult", &result, |result| {
        let v1::TrainModelResult {
            version, report, ..
        } = result;
        Ok(format!(
            "{}\n\nstored as version {version}, not active; `model plan --version {version}` shows what it would \
             change, `model apply --version {version}` activates it",
            report.trim_end()
        ))
    })
}

/// A message of a stream.
enum Message<T> {
    Progress(v1::ModelProgress),
    Mistakes(v1::ModelMistakes),
    Last(T),
    Nothing,
}

/// Shows the progress of a stream. Returns its last message.
async fn last<M, T>(
    stream: Result<tonic::Response<Streaming<M>>, Status>,
    read: impl Fn(M) -> Message<T>,
) -> anyhow::Result<T> {
    let mut stream = answered(stream)?;
    let bar = ProgressBar::new_spinner();
    if let Ok(style) = ProgressStyle::with_template("{spinner} {msg}") {
        bar.set_style(style);
    }
    while let Some(message) = stream.message().await.map_err(|status| refused(&status))? {
        match read(message) {
            Message::Progress(progress) => {
                let total = if progress.total > 0 {
                    format!(" of {}", progress.total)
                } else {
                    String::new()
                };
                bar.set_message(format!("{}: {}{total}", progress.phase, progress.done));
                bar.tick();
            }
            Message::Mistakes(mistakes) => {
                bar.finish_and_clear();
                return Err(anyhow!(report::mistakes(&mistakes)));
            }
            Message::Last(last) => {
                bar.finish_and_clear();
                return Ok(last);
            }
            Message::Nothing => {}
        }
    }
    Err(anyhow!("the server ended the stream without an answer"))
}
