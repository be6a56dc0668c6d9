//! The cage: how a foreign process is started so that it can do no more than it was given.
