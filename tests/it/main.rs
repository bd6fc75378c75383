//! All integration tests, in one binary: it links once.

mod api;
mod cli;
mod clients;
mod clocks;
mod durability;
mod experience;
mod follower;
mod freshness;
mod invariants;
mod logs;
mod models;
mod publish;
mod replicas;
mod scenes;
mod signals;
mod store;
mod support;
mod telemetry;
