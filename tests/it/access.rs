//! Access: credentials, scopes, purposes and TLS.

mod audit;
mod insecure;
mod keys;
mod matrix;
mod purposes;
mod roles;
mod tenants;
mod tls;
mod tokens;
