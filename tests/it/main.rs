//! All integration tests, in one binary: it links once.

mod api;
mod cli;
mod clients;
mod durability;
mod edge;
mod experience;
mod follower;
mod freshness;
mod invariants;
mod models;
mod publish;
mod replicas;
mod scenes;
mod store;
mod support;
