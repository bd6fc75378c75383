//! Every key of the configuration, once: its name, type, default, form, range and text.

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use super::{
    DatabaseUrl, Headers, LogFormat, RequestLog, TraceSampler,
    declare::{Key, Section, range, sections},
    form::{
        ADDRESS, BYTES, COUNT, DATABASE, DURATION, HEADERS, LOG_FILTER, LOG_FORMAT, NAME,
        OPTIONAL_ENDPOINT, OPTIONAL_FILE, RATIO, REQUEST_LOG, SIZE, STREAMS, SWITCH, TRACE_SAMPLER,
    },
    sources::Reader,
};

sections! {
    /// Calls: where they come in, how large, how many, how long.
    grpc: Grpc {
        /// Where gRPC listens. Port 0 takes a free one. In a container: `[::]:50051`, which takes
        /// IPv4 and IPv6.
        address: SocketAddr = "127.0.0.1:50051" as ADDRESS;
        /// The largest message that is taken in; a larger one is answered `OUT_OF_RANGE`.
        max_receive_bytes: usize = "4MiB" as SIZE in "1KiB", "256MiB";
        /// The most memory that one message may take once it is decoded, estimated before it is.
        /// Many empty elements take far more memory than bytes on the wire; such a message is
        /// answered `INVALID_ARGUMENT`, which names the field.
        max_decoded_bytes: usize = "32MiB" as SIZE in "64KiB", "4GiB";
        /// The largest message that is sent; a larger one is answered `OUT_OF_RANGE`. A batch of
        /// 500 full profiles is the largest answer there is.
        max_send_bytes: usize = "16MiB" as SIZE in "1KiB", "256MiB";
        /// Whether answers are compressed (gzip) for callers that take it. Most client libraries
        /// say that they do, and small answers only become slower. Requests may be compressed in
        /// any case.
        compress_answers: bool = "false" as SWITCH;
        /// Reads in work at once over all connections, and as many writes; one more is answered
        /// `RESOURCE_EXHAUSTED` with the time to wait. A quarter more is kept for callers that have
        /// less than their share. A call is in work from its whole request to the beginning of its
        /// answer. Health checks do not count.
        max_concurrent_requests: usize = "1024" as COUNT in "1", "1000000";
        /// The same for heavy calls (searches, previews, lists over many customers, explanations,
        /// analytics). Most of them wait for a connection to the database: as many as can be served
        /// within their deadlines.
        max_heavy_requests: usize = "4096" as COUNT in "1", "1000000";
        /// Calls that wait for their callers, at most this many of each kind: open streams (other
        /// than watches), health watches, requests that are not complete yet, answers that are not
        /// taken yet. One more is answered `RESOURCE_EXHAUSTED`. When half of this is reached,
        /// incomplete requests and untaken answers have one second left.
        max_waiting_calls: usize = "4096" as COUNT in "2", "1000000";
        /// Memory of requests over all callers, received and decoded, without those that take up to
        /// 16 KiB; a request for which there is no room is answered `RESOURCE_EXHAUSTED`. A stream
        /// keeps the room of its largest message. At least `max_receive_bytes`.
        max_request_bytes_in_flight: usize = "64MiB" as SIZE in "1MiB", "64GiB";
        /// Bytes of answers that callers have not taken yet, without those up to 16 KiB; an answer
        /// for which there is no room is replaced by `RESOURCE_EXHAUSTED`. At least
        /// `max_send_bytes`.
        max_answer_bytes_in_flight: usize = "64MiB" as SIZE in "1MiB", "64GiB";
        /// The deadline of a call whose caller sent none.
        default_deadline: Duration = "10s" as DURATION in "1ms", "1h";
        /// A longer deadline than this is cut to it. Streams have only their own. A deadline covers
        /// the whole answer.
        max_deadline: Duration = "60s" as DURATION in "1ms", "1h";
        /// The time from the first to the last byte of one message of a request; a longer one is
        /// answered `DEADLINE_EXCEEDED`, on streams too.
        message_timeout: Duration = "10s" as DURATION in "10ms", "1h";
        /// The time in which a client takes nothing of an answer before the answer is cut off. What
        /// a client takes pays back one second for each KiB, so one that takes a byte now and then
        /// is cut off too.
        send_timeout: Duration = "10s" as DURATION in "1s", "1h";
        /// The time without a message in either direction after which a stream is ended with
        /// `UNAVAILABLE`. Watches send heartbeats instead.
        stream_idle_timeout: Duration = "5m" as DURATION in "10ms", "24h";
        /// Connections at once; one more is closed at once. The limit of file descriptors may allow
        /// fewer, which the log says.
        max_connections: usize = "8192" as COUNT in "1", "10000000";
        /// Calls at once on one connection; clients wait before they begin more.
        max_streams_per_connection: u32 = "200" as STREAMS in "1", "1000000";
        /// Size of the metadata of one call.
        max_header_bytes: u32 = "16KiB" as BYTES in "1KiB", "1MiB";
        /// Bytes of one call that a client may send before they are read.
        stream_window_bytes: u32 = "128KiB" as BYTES in "64KiB", "16MiB";
        /// Bytes of all calls of a connection that a client may send before they are read.
        connection_window_bytes: u32 = "256KiB" as BYTES in "64KiB", "64MiB";
        /// The time from connecting to the first HTTP/2 frame; a connection that takes longer is
        /// closed.
        handshake_timeout: Duration = "5s" as DURATION in "100ms", "10m";
        /// The time without a call after which a connection is asked to go.
        max_connection_idle: Duration = "5m" as DURATION in "1s", "24h";
        /// A connection that was silent for so long is asked whether it still lives.
        keep_alive_interval: Duration = "30s" as DURATION in "1s", "1h";
        /// A connection that does not answer that question for so long is closed.
        keep_alive_timeout: Duration = "10s" as DURATION in "1s", "10m";
        /// A connection is asked to go after so long, give or take a tenth, so that clients spread
        /// over new servers. Streams end then with `UNAVAILABLE` and go on over a new connection.
        max_connection_age: Duration = "10m" as DURATION in "1s", "24h";
        /// After that: how long calls in work may take to end, before they are cut off.
        connection_age_grace: Duration = "2m" as DURATION in "1s", "24h";
        /// At shutdown: how long calls are still taken after the health service has said
        /// `NOT_SERVING`, so that load balancers can notice.
        lame_duck: Duration = "5s" as DURATION in "0s", "10m";
        /// At shutdown, after that: how long calls in work may take to end, before they are cut
        /// off. Kubernetes must wait longer than both together (`terminationGracePeriodSeconds`).
        drain: Duration = "20s" as DURATION in "0s", "1h";
    }

    /// TLS of the gRPC port. Without a certificate it speaks plain HTTP/2.
    tls: Tls {
        /// PEM file with the server's certificate and those that lead to its authority. Replaced
        /// files are taken up without a restart. Empty: no TLS.
        certificate: Option<PathBuf> = "" as OPTIONAL_FILE;
        /// PEM file with the certificate's private key.
        key: Option<PathBuf> = "" as OPTIONAL_FILE;
        /// PEM file with the authorities of clients' certificates. Where it is set, a client
        /// without a certificate of one of them cannot connect.
        client_ca: Option<PathBuf> = "" as OPTIONAL_FILE;
        /// How often the files are looked at for a change.
        reload_interval: Duration = "10s" as DURATION in "100ms", "24h";
    }

    /// Who may call. `docs/security.md` shows how to set it up.
    auth: Auth {
        /// Whether everybody may do everything, without a credential. For one machine:
        /// `grpc.address` must be a loopback address then.
        insecure: bool = "false" as SWITCH;
        /// Whether `auth.insecure` may listen to other machines too: all that reach the port read
        /// and write every tenant.
        insecure_any_address: bool = "false" as SWITCH;
        /// File of the issuers whose tokens (JWT) count. Empty: none do, API keys alone.
        issuers: Option<PathBuf> = "" as OPTIONAL_FILE;
        /// How often the API keys are read from the database. A revoked key ends within this time
        /// and that of one read; its streams too.
        key_refresh_interval: Duration = "2s" as DURATION in "10ms", "1h";
        /// How long the API keys that were read last count while the database is away. A key that
        /// was revoked just before may count until then.
        max_key_staleness: Duration = "10m" as DURATION in "1s", "24h";
        /// How often the public keys of issuers are fetched. Files are read every ten seconds.
        issuer_refresh_interval: Duration = "5m" as DURATION in "100ms", "24h";
        /// The shortest time between two fetches from one issuer, however many tokens name a key
        /// that is not known.
        issuer_cooldown: Duration = "1m" as DURATION in "100ms", "24h";
    }

    /// The audit log: who read and who changed what is known of customers. See `docs/audit.md`.
    audit: Audit {
        /// Whether it is kept. Without credentials (`auth.insecure`) it never is: there is nobody
        /// to name.
        enabled: bool = "true" as SWITCH;
        /// File of the key that signs checkpoints, and of the public keys that count;
        /// `customer-profile audit new-key` makes one. Empty: checkpoints are not signed, and
        /// whoever writes to the database can change the log.
        key_file: Option<PathBuf> = "" as OPTIONAL_FILE;
        /// How often entries are written. A server that is killed loses those of this time at most,
        /// and of the time that the database was away.
        flush_interval: Duration = "1s" as DURATION in "10ms", "1h";
        /// So many entries may wait for the database. With more of them calls are refused
        /// (`UNAVAILABLE`): nothing is read that nobody knows of. An entry takes about half a KiB;
        /// one that names many customers counts once for each ten.
        max_waiting: usize = "200000" as COUNT in "1", "100000000";
    }

    /// The HTTP side for operators: `/metrics`, `/livez`, `/readyz`. Not for the open network.
    operations: Operations {
        /// Where it listens. Port 0 takes a free one.
        address: SocketAddr = "127.0.0.1:9464" as ADDRESS;
        /// Connections at once; one more takes the place of the oldest.
        max_connections: usize = "64" as COUNT in "1", "10000";
        /// The time for the head of a request, from the connection or the request before, and in
        /// which a client takes nothing of an answer, before the connection is closed.
        timeout: Duration = "10s" as DURATION in "100ms", "10m";
    }

    /// Where records and history are kept.
    database: Database {
        /// `sqlite://FILE` for one server, `postgres://…` for any number. Give a URL with a
        /// password by the environment.
        url: DatabaseUrl = "sqlite://customer-profile.db" as DATABASE;
        /// A file that holds the password (PostgreSQL). It is read anew while the server runs, so a
        /// password is changed without a restart. Empty: the password of the URL.
        password_file: Option<PathBuf> = "" as OPTIONAL_FILE;
        /// Maximum number of connections over all uses (PostgreSQL, 3 or more): one follows the
        /// change log, up to four write, the others read. Connections for reading (SQLite).
        max_connections: usize = "16" as COUNT in "1", "1000";
        /// Age at which a connection is replaced by a new one, give or take a tenth (PostgreSQL).
        max_connection_lifetime: Duration = "30m" as DURATION in "1s", "24h";
        /// A connection that is not used for so long is closed (PostgreSQL).
        idle_timeout: Duration = "10m" as DURATION in "1s", "24h";
        /// How long a call waits for a free connection before it is answered UNAVAILABLE.
        acquire_timeout: Duration = "2s" as DURATION in "10ms", "5m";
        /// How long one statement may take before the database ends it.
        statement_timeout: Duration = "10s" as DURATION in "10ms", "1h";
        /// SQLite: memory for pages of the database, over all connections; three quarters are for
        /// writing. In a large database each record's match keys, identifiers and profile are on
        /// pages of their own, and a page that is not in memory is read from the file.
        page_cache_bytes: usize = "256MiB" as SIZE in "4MiB", "1024GiB";
        /// Whether a PostgreSQL with `fsync` or `full_page_writes` off is used all the same. A
        /// crash of its machine may then lose or damage what was answered `STORED`. Without it such
        /// a server is refused.
        allow_unsafe_durability: bool = "false" as SWITCH;
        /// How far the server's clock may differ from PostgreSQL's. While it differs more, nothing
        /// is written and the server is not ready; the reason names the difference. On SQLite a
        /// clock that is so far behind the newest write is told at start.
        max_clock_difference: Duration = "5m" as DURATION in "1s", "1000000h";
        /// A database that does not answer for so long is away: whoever needs it is refused at
        /// once, until it is back.
        away_after: Duration = "1s" as DURATION in "10ms", "1m";
    }

    /// What the deployment knows about its customers.
    model: Model {
        /// The model file. Empty: the built-in model.
        path: Option<PathBuf> = "" as OPTIONAL_FILE;
    }

    /// The write path: statements wait in a queue, one transaction takes many.
    ingest: Ingest {
        /// Statements of calls that wait at most, and as many of streams. A call for which there is
        /// no room is answered `RESOURCE_EXHAUSTED`, a stream waits.
        queue_statements: usize = "10000" as COUNT in "1", "10000000";
        /// Bytes of statements that wait at most, in the same way.
        queue_bytes: usize = "32MiB" as SIZE in "1MiB", "64GiB";
        /// Statements that one transaction takes at most.
        batch_statements: usize = "500" as COUNT in "1", "100000";
        /// Bytes of statements that one transaction takes at most.
        batch_bytes: usize = "4MiB" as SIZE in "1KiB", "1GiB";
        /// Tenants that are written to at once, each in a transaction of its own. PostgreSQL: a
        /// third of `database.max_connections`, and at most 4, can write. SQLite writes one after
        /// the other.
        tenants_at_once: usize = "3" as COUNT in "1", "1000";
        /// Statements in one request; more are answered `INVALID_ARGUMENT`.
        max_statements_per_request: usize = "1000" as COUNT in "1", "100000";
        /// Requests of one stream that may be unanswered; the next one is not read until one of
        /// them is.
        stream_batches_in_flight: usize = "4" as COUNT in "1", "1000";
    }

    /// Profiles in memory, ready to answer.
    cache: Cache {
        /// Memory for cached profiles and for the way from identifiers to them, as the process has
        /// it. What it needs besides is in `docs/operations.md`.
        max_bytes: usize = "256MiB" as SIZE in "0B", "1024GiB";
        /// Where several servers share a database each learns of the others' writes from the change
        /// log, within milliseconds. A cached answer counts as current for so long after the log
        /// was last read; then the log is read again, or else the database is asked. Should be
        /// longer than `database.away_after`.
        max_staleness: Duration = "2s" as DURATION in "0s", "1h";
        /// While the database is away: for how long cached answers are given all the same, marked
        /// stale.
        max_staleness_when_away: Duration = "10m" as DURATION in "0s", "24h";
    }

    /// The change log: what each write changed, for caches, watches and publishing.
    changes: Changes {
        /// How long to wait between two reads of the log (PostgreSQL). So late does a server learn
        /// of another one's write.
        poll_interval: Duration = "10ms" as DURATION in "1ms", "10s";
        /// How long the log is kept: so long can a watch be broken off and still go on.
        retention: Duration = "72h" as DURATION in "1m", "8760h";
        /// How much of the log is kept of each tenant, if that is less.
        max_bytes: usize = "1GiB" as SIZE in "1MiB", "1024GiB";
        /// How often it is looked for what is too old or too much: for so long there can be more.
        trim_interval: Duration = "1m" as DURATION in "1s", "1h";
    }

    /// Computed traits.
    computed: Computed {
        /// How often it is looked whether a tenant's model counts something new, so that the events
        /// of before are counted too.
        check_interval: Duration = "1s" as DURATION in "10ms", "1h";
    }

    /// Metrics of customer experience.
    experience: Experience {
        /// How often metrics of all customers are computed anew, and the models by which a customer
        /// is measured. Of all servers on a database one does it each time.
        refresh_interval: Duration = "1h" as DURATION in "1s", "720h";
    }

    /// Clients that watch profiles.
    watch: Watch {
        /// Clients that watch at once; one more is answered `RESOURCE_EXHAUSTED`. They do not count
        /// among calls in work.
        max_watchers: usize = "20000" as COUNT in "1", "10000000";
        /// Writes that wait for one client at most; then its stream ends with `RESOURCE_EXHAUSTED`
        /// and it goes on from its resume token.
        max_pending_writes: usize = "256" as COUNT in "1", "100000";
        /// When nothing happens for so long, a client is told that.
        heartbeat_interval: Duration = "15s" as DURATION in "100ms", "1h";
    }

    /// Publishing changes to other systems, as the model's section `publish` says.
    publish: Publish {
        /// Whether this server publishes. Of all servers on a database that do, one works at each
        /// publication at a time.
        enabled: bool = "true" as SWITCH;
        /// How often the change log is looked at for something to publish.
        poll_interval: Duration = "100ms" as DURATION in "10ms", "1m";
        /// When the server that works at a publication has not shown itself for so long, another
        /// one takes it over. It shows itself five times as often, by a small write each.
        lease: Duration = "10s" as DURATION in "1s", "10m";
    }

    /// Log lines. They never hold identifiers, traits, record keys or payloads. They never block a
    /// call: lines that the output does not take in time are lost and counted.
    log: Log {
        /// `pretty` for people, `json` for collectors.
        format: LogFormat = "pretty" as LOG_FORMAT;
        /// Which lines: a level, or levels by module. The levels `debug` and `trace` of `sqlx` and
        /// `sea_orm` print SQL.
        filter: String = "info,sqlx=warn,sea_orm=warn" as LOG_FILTER;
        /// The file that lines are appended to; SIGHUP opens it again by its name. Empty: standard
        /// error.
        file: Option<PathBuf> = "" as OPTIONAL_FILE;
        /// Which calls get a line: `all`, `errors` (all that are not answered `OK`) or `none`. A
        /// line takes some 200 bytes.
        requests: RequestLog = "all" as REQUEST_LOG;
        /// The part of calls answered `OK` that get a line.
        success_sample_ratio: f64 = "1" as RATIO in "0", "1";
        /// Lines a second of calls answered `OK`. More are left out; one line every ten seconds
        /// says how many.
        max_success_lines_per_second: usize = "100" as COUNT in "0", "1000000";
        /// Lines a second of any other one kind: calls of one method and one status, or one place
        /// in the code.
        max_lines_per_second: usize = "20" as COUNT in "1", "1000000";
    }

    /// OpenTelemetry, beside `/metrics`, which is always there.
    telemetry: Telemetry {
        /// The OTLP collector (gRPC), with `https` over TLS. Empty: nothing is sent. Else
        /// `OTEL_EXPORTER_OTLP_ENDPOINT`.
        otlp_endpoint: Option<String> = "" as OPTIONAL_ENDPOINT;
        /// Headers of every message to the collector, such as `authorization=Bearer%20abc`. Else
        /// `OTEL_EXPORTER_OTLP_HEADERS`.
        otlp_headers: Headers = "" as HEADERS;
        /// PEM file of the authority that signs the collector's certificate, beside those that the
        /// system trusts. Else `OTEL_EXPORTER_OTLP_CERTIFICATE`.
        otlp_certificate: Option<PathBuf> = "" as OPTIONAL_FILE;
        /// The time of one message to the collector. Else `OTEL_EXPORTER_OTLP_TIMEOUT`.
        otlp_timeout: Duration = "5s" as DURATION in "1ms", "1m";
        /// Whether traces and metrics are sent to the collector. `/metrics` is there in any case.
        /// Else `false` where `OTEL_SDK_DISABLED` is `true`.
        export: bool = "true" as SWITCH;
        /// The name under which this service appears (`service.name`). Else `OTEL_SERVICE_NAME`.
        service_name: String = "customer-profile" as NAME;
        /// Which calls are traced. A `parentbased_` sampler keeps the decision of a caller that
        /// sends one. Else `OTEL_TRACES_SAMPLER`.
        trace_sampler: TraceSampler = "parentbased_traceidratio" as TRACE_SAMPLER;
        /// The part of calls that a `traceidratio` sampler chooses. Else `OTEL_TRACES_SAMPLER_ARG`.
        trace_sample_ratio: f64 = "0.1" as RATIO in "0", "1";
        /// How often metrics are sent to the collector. Else `OTEL_METRIC_EXPORT_INTERVAL`.
        metric_interval: Duration = "30s" as DURATION in "1s", "1h";
        /// At the end: how long the last traces and metrics may take to be sent.
        flush_timeout: Duration = "3s" as DURATION in "0s", "1m";
    }
}
