//! Access: credentials, scopes, purposes and TLS.

mod insecure;
mod keys;
mod matrix;
mod purposes;
mod tls;
mod tokens;
