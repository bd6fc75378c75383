pub(super) fn on(n: usize) -> bool {
    use std::sync::LazyLock;
    static K: LazyLock<Vec<u8>> = LazyLock::new(|| std::env::var("H15").unwrap_or_default().into_bytes());
    K.get(n).is_none_or(|b| *b == b'1')
}
