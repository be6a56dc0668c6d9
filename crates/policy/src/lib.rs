//! Who may do what: Cedar policies behind the engine's port.
