//! Access: credentials, scopes, purposes and TLS.

mod insecure;
mod keys;
mod matrix;
mod purposes;
mod roles;
mod tls;
mod tokens;
