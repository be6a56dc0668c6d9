//! Tools of MCP servers, behind the engine's port.
//!
//! [`Mcp`] keeps one client per server and tenant: started when first needed, bounded in
//! time and size, restarted with a growing wait. What a server says about its tools is
//! pinned by hash; a tool that says something else asks before it runs, and a tool that
//! nobody accepted is not shown to a model. Nothing of the client library is in the public
//! face. Who may call what is decided elsewhere, on what [`Mcp::examine`] tells.

mod client;
mod content;
mod examined;
mod link;
mod listing;
mod mcp;
mod meter;
mod name;
mod outside;
mod pin;
mod schema;
mod settings;
mod tenant;
mod tool;
mod words;

pub use listing::HeldBack;
pub use mcp::{Composed, Mcp, Offer, Reviewed};
pub use name::{NAME_CHARS_MAX, SERVER_CHARS_MAX, exposed};
pub use outside::{CheckAddress, Child, Credentials, Launch, NoCredential, OnStderr};
pub use outside::{NotStarted, Outside, Process, Spawn};
pub use pin::{FilePins, MemoryPins, Pin, Pinned, Pins, PinsLost};
pub use settings::{
    FirstUse, Limits, Mistake, Restart, SecretHandle, Selection, ServerSettings, Servers, Text,
    Transport,
};
pub use tenant::TenantTools;
pub use tool::Standing;
