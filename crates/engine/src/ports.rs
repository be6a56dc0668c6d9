//! The only traits of the house: what the engine needs from the outside.
//!
//! Each port has one suite in [`crate::conformance`] that every implementation must
//! pass. Errors are named for what the caller does next.

mod answers;
mod audit;
mod contract;
mod courier;
mod directory;
mod dispatch;
mod model;
mod outbox;
mod policy;
mod roster;
mod store;
mod toolbox;
mod world;

pub use answers::{Answer, Answers, Asked, Asking};
pub use audit::{Audit, Content, Contents, Doomed, ERASABLE_ROWS_MAX};
pub use contract::{Moved, alerts_after, balances_after, check_settable, new_balance, pin};
pub use courier::{Courier, Undelivered};
pub use directory::{DIRECTORY_ROWS_MAX, Directory, Grants, Key, Member};
pub use dispatch::Dispatch;
pub use kernel::price::Spent;
pub use model::{Model, ModelCall, ModelError};
pub use outbox::{
    Copied, Delivery, Listed as AlertListed, Outbox, Standing as CopyStanding, Take, Tried,
};
pub use policy::{Action, Policy, Principal, Question, ToolQuestion};
pub use roster::{Card, Cast, Outfit, Outfitter, Roster, Unfit, Wish};
pub use store::{
    Brief, Charge, Claim, Commit, Head, Listed, Listing, Payload, SpendRow, Status, Store,
    StoreError, Waits,
};
pub use toolbox::{Reconciled, ToolCall, ToolError, ToolOutput, Toolbox};
pub use world::World;
