//! Who may call: credentials, what they grant, and TLS.

mod insecure;
mod keys;
mod matrix;
mod purposes;
mod tls;
mod tokens;
