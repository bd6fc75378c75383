//! The bar for reads: tonic itself, with the same service, codec and bytes, and nothing behind it.

use std::io::Write;
use std::process::{Child, Command, Stdio};

use customer_profile::grpc::v1::{
    self,
    profile_service_server::{ProfileService, ProfileServiceServer},
};
use prost::Message;
use tokio::net::TcpListener;
use tonic::transport::server::TcpIncoming;
use tonic::{Request, Response, Status};

/// A bare server in a process of its own.
pub(crate) struct Bare {
    child: Child,
    pub(crate) address: String,
}

/// Starts this program again as a bare server that answers `answer`.
pub(crate) async fn start(answer: &v1::GetProfileResponse) -> Bare {
    let port = crate::server::free_port();
    let program = std::env::current_exe().expect("this program");
    let mut command = Command::new(program);
    command
        .args(["--bare", &port.to_string()])
        .stdin(Stdio::piped());
    let mut child = command.spawn().expect("a bare server");
    child
        .stdin
        .take()
        .expect("its input")
        .write_all(&answer.encode_to_vec())
        .expect("the answer");
    crate::server::wait_for(port).await;
    Bare {
        child,
        address: format!("http://127.0.0.1:{port}"),
    }
}

impl Bare {
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Bare {
    fn drop(&mut self) {
        self.child.kill().expect("a child to end");
        self.child.wait().expect("its end");
    }
}

struct Fixed(v1::GetProfileResponse);

#[tonic::async_trait]
impl ProfileService for Fixed {
    type WatchProfilesStream = futures::stream::Empty<Result<v1::WatchProfilesResponse, Status>>;

    async fn watch_profiles(
        &self,
        _: Request<v1::WatchProfilesRequest>,
    ) -> Result<Response<Self::WatchProfilesStream>, Status> {
        Err(Status::unimplemented(""))
    }

    async fn get_profile(
        &self,
        _: Request<v1::GetProfileRequest>,
    ) -> Result<Response<v1::GetProfileResponse>, Status> {
        Ok(Response::new(self.0.clone()))
    }

    async fn batch_get_profiles(
        &self,
        _: Request<v1::BatchGetProfilesRequest>,
    ) -> Result<Response<v1::BatchGetProfilesResponse>, Status> {
        Err(Status::unimplemented(""))
    }

    async fn list_timeline(
        &self,
        _: Request<v1::ListTimelineRequest>,
    ) -> Result<Response<v1::ListTimelineResponse>, Status> {
        Err(Status::unimplemented(""))
    }

    async fn get_object(
        &self,
        _: Request<v1::GetObjectRequest>,
    ) -> Result<Response<v1::GetObjectResponse>, Status> {
        Err(Status::unimplemented(""))
    }

    async fn search_profiles(
        &self,
        _: Request<v1::SearchProfilesRequest>,
    ) -> Result<Response<v1::SearchProfilesResponse>, Status> {
        Err(Status::unimplemented(""))
    }
}

/// Serves the answer that stands on standard input.
pub(crate) async fn serve(port: &str) {
    let encoded = std::io::Read::bytes(std::io::stdin())
        .collect::<Result<Vec<u8>, _>>()
        .expect("the answer");
    let answer = v1::GetProfileResponse::decode(encoded.as_slice()).expect("a message");
    let listener = TcpListener::bind(format!("127.0.0.1:{port}"))
        .await
        .expect("a port");
    let incoming = TcpIncoming::from(listener).with_nodelay(Some(true));
    let server =
        tonic::transport::Server::builder().add_service(ProfileServiceServer::new(Fixed(answer)));
    server
        .serve_with_incoming(incoming)
        .await
        .expect("serves until it is killed");
}
