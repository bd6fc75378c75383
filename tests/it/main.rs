//! All integration tests, in one binary: it links once.

mod api;
mod budgets;
mod cli;
mod clients;
mod durability;
mod edge;
mod experience;
mod follower;
mod freshness;
mod invariants;
mod models;
mod overload;
mod publish;
mod replicas;
mod scenes;
mod sessions;
mod store;
mod support;
mod transport;
