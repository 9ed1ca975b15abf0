//! Deterministic recipes as data: detect and rewrite, on strings.
