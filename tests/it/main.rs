//! All integration tests, in one binary: it links once.

mod api;
mod backup;
mod budgets;
mod cli;
mod clients;
mod clocks;
mod durability;
mod edge;
mod experience;
mod follower;
mod freshness;
mod invariants;
mod logs;
mod memory;
mod models;
mod overload;
mod publish;
mod replicas;
mod scenes;
mod sessions;
mod signals;
mod store;
mod support;
mod telemetry;
mod transport;
mod vendors;
