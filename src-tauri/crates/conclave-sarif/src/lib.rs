//! SARIF 2.1.0 in and out: streaming, tolerant, pure.
