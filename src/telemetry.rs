//! Stub.
#[derive(Debug, Default)]
#[expect(missing_docs, clippy::unused_self, clippy::pedantic, reason = "stub")]
pub struct Metrics {}
#[expect(missing_docs, reason = "stub")]
impl Metrics {
    pub fn ingest_queued(&self, _: usize) {}
    pub fn ingest_rejected(&self, _: usize) {}
    pub fn ingest_written(&self, _: usize, _: std::time::Duration) {}
    pub fn ingest_stored(&self, _: usize) {}
    pub fn ingest_duplicate(&self, _: usize) {}
    pub fn store_conflicts(&self, _: u32) {}
    pub fn identity(&self, _: usize, _: usize, _: usize, _: usize) {}
    pub fn cache_read(&self, _: &'static str, _: bool, _: bool) {}
}
