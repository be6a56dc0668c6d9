//! What must not leave the process, found and blanked in text: secrets by form and by
//! entropy, personal data by class.
//!
//! Pure: text and rules in, text out. What is nested (JSON in strings, base64, URLs) is looked into.
