//! The ways in which a provider is out.

/// One way.
pub(super) struct Way {
    /// Its name on the command line.
    pub(super) name: &'static str,
    /// What happens, for people.
    pub(super) words: &'static str,
    pub(super) kind: Kind,
}

/// How it is played.
pub(super) enum Kind {
    /// The first requests have this fault of the simulated provider; all later ones go well.
    Fault(&'static str),
    /// Nobody listens at first.
    Gone,
    /// The provider has no room for good, and another model answers.
    Fallback,
}

/// All of them, in the order in which they are played.
pub(super) const WAYS: &[Way] = &[
    Way { name: "429", words: "too many requests", kind: Kind::Fault("429") },
    Way { name: "529", words: "no room for anybody", kind: Kind::Fault("529") },
    Way { name: "500", words: "the provider breaks", kind: Kind::Fault("500") },
    Way { name: "refused", words: "the connection breaks off", kind: Kind::Fault("refused") },
    Way { name: "cut", words: "the answer stops half-way", kind: Kind::Fault("cut") },
    Way { name: "malformed", words: "the answer is no JSON", kind: Kind::Fault("malformed") },
    Way { name: "drip", words: "the answer comes in drops", kind: Kind::Fault("drip") },
    Way { name: "gone", words: "nobody listens for a while", kind: Kind::Gone },
    Way { name: "fallback", words: "out for good, with a fallback", kind: Kind::Fallback },
];
