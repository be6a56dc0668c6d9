//! Tools of MCP servers, behind the engine's port.
