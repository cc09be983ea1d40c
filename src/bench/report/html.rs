//! to come
/// x
pub fn render(_: &crate::bench::result::Report) -> crate::error::Result<String> {
    Ok("\n".into())
}
