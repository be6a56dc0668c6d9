//! URLs: where a request would really go.
