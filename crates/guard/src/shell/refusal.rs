//! Why a command is stopped, while it is still being read.

/// A reason for which nothing further is looked at: the text is not understood. Lowercase,
/// for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Refusal(pub(super) String);

/// What reading gives: a thing that is understood, or why it is not.
pub(super) type Read<T> = Result<T, Refusal>;

/// A refusal for one reason.
pub(super) fn refuse<T>(reason: impl Into<String>) -> Read<T> {
    Err(Refusal(reason.into()))
}
