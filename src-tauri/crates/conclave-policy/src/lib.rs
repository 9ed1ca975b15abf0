//! Given a tool request and a policy, the decision and its reasons.
