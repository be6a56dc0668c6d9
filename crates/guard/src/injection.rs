//! Signs of injection in tool results: a score and the spans that led to it.
