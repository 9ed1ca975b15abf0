//! The straight line: runs a finding through its stages.
