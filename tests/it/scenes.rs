//! Scenes of everyday life, each from what sources send to what is seen.

mod coffee;
mod how_did_we_do;
mod retention;
mod service;
mod treatment;
