//! Scenes of everyday life, each from what sources send to what is seen.

mod coffee;
mod service;
mod treatment;
