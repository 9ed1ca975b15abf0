//! Set-up, start, test, bench and eval.
fn main() {}
