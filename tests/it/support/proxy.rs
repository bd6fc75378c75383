//! The network between a server and its database, which a test may take away.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, UnixStream};
use tokio::sync::watch;

use super::postgres::Postgres;

/// Carries connections to a database. Dropped, all of them end.
pub(crate) struct Proxy {
    port: u16,
    /// Even: it carries. Odd: new connections are taken and hang, and those of before hang for
    /// ever.
    state: Arc<watch::Sender<u32>>,
    /// How long a new connection takes.
    connecting: Arc<AtomicU64>,
    accepting: tokio::task::JoinHandle<()>,
}

impl Proxy {
    pub(crate) async fn to(database: &Postgres) -> Self {
        let socket = database.socket_dir().join(".s.PGSQL.5432");
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("its address").port();
        let state = Arc::new(watch::Sender::new(0));
        let connecting = Arc::default();
        let accepting = tokio::spawn(accept(
            listener,
            socket,
            state.clone(),
            Arc::clone(&connecting),
        ));
        Self {
            port,
            state,
            connecting,
            accepting,
        }
    }

    /// Where the database is, through this.
    pub(crate) fn url(&self) -> String {
        format!(
            "postgres://postgres@127.0.0.1:{}/postgres?sslmode=disable",
            self.port
        )
    }

    /// From now on a new connection takes this long.
    pub(crate) fn connect_in(&self, time: Duration) {
        let millis = u64::try_from(time.as_millis()).expect("short");
        self.connecting.store(millis, Ordering::SeqCst);
    }

    /// From now on nothing goes through, and nobody is told.
    pub(crate) fn take_away(&self) {
        self.state.send_modify(|state| *state += 1);
    }

    /// New connections go through again; those of before lead nowhere for good.
    pub(crate) fn bring_back(&self) {
        self.state.send_modify(|state| *state += 1);
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn accept(
    listener: TcpListener,
    socket: PathBuf,
    state: Arc<watch::Sender<u32>>,
    connecting: Arc<AtomicU64>,
) {
    let mut connections = tokio::task::JoinSet::new();
    while let Ok((mut client, _)) = listener.accept().await {
        // Answers come in pieces: held back until the one before is acknowledged, each would take
        // 40 ms.
        client.set_nodelay(true).expect("an open connection");
        let (socket, mut state) = (socket.clone(), state.subscribe());
        let connecting = Duration::from_millis(connecting.load(Ordering::SeqCst));
        connections.spawn(async move {
            tokio::time::sleep(connecting).await;
            let began = *state.borrow_and_update();
            if began.is_multiple_of(2) {
                let mut server = UnixStream::connect(socket).await.expect("the database");
                tokio::select! {
                    _ = copy_bidirectional(&mut client, &mut server) => return,
                    _ = state.wait_for(|now| *now != began) => {}
                }
                // Both ends stay open, and hear nothing.
                std::future::pending::<()>().await;
            }
            std::future::pending::<()>().await;
        });
    }
}
