//! Server-sent events: bytes in any chunking to frames, and frames to bytes.
//!
//! Follows the WHATWG rules (HTML, "Parsing an event stream"): CR, LF and CRLF end a
//! line, one byte order mark may come first, comments are skipped, `data` lines are
//! joined by LF, broken UTF-8 becomes U+FFFD. `id` and `retry` are not kept: an answer
//! of a model is never resumed by reconnecting. A frame has a size limit.

/// One event of a stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    /// The event's name, where it has one.
    pub event: Option<String>,
    /// Its data.
    pub data: String,
}

impl Frame {
    /// The frame as it goes over the wire, its empty line included.
    #[must_use]
    pub fn write(&self) -> String {
        let mut text = String::with_capacity(self.data.len() + 32);
        if let Some(event) = &self.event {
            text.push_str("event: ");
            text.extend(event.chars().filter(|c| !matches!(c, '\r' | '\n')));
            text.push('\n');
        }
        for line in self.data.replace("\r\n", "\n").split(['\n', '\r']) {
            text.push_str("data: ");
            text.push_str(line);
            text.push('\n');
        }
        text.push('\n');
        text
    }
}

/// A frame grew beyond its limit. The stream cannot be read any further.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an event of the stream is longer than {event_bytes_max} bytes")]
pub struct FrameTooLong {
    /// The limit.
    pub event_bytes_max: usize,
}

/// Collects bytes and gives back the frames that are whole.
#[derive(Debug)]
pub struct Frames {
    event_bytes_max: usize,
    /// The line that has not ended yet.
    line: Vec<u8>,
    /// Whether the last byte was a CR, so that an LF now belongs to it.
    after_cr: bool,
    /// Whether no line has ended yet, so that a byte order mark may stand here.
    at_start: bool,
    event: Option<String>,
    data: Option<String>,
}

const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";

impl Frames {
    /// A reader of a stream whose events have at most `event_bytes_max` bytes each.
    #[must_use]
    pub fn new(event_bytes_max: usize) -> Self {
        Frames {
            event_bytes_max,
            line: Vec::new(),
            after_cr: false,
            at_start: true,
            event: None,
            data: None,
        }
    }

    /// Takes the next bytes, however they are cut, and gives the frames that they end.
    ///
    /// # Errors
    /// An event is longer than the limit; every further call fails too.
    pub fn push(&mut self, bytes: &[u8]) -> Result<Vec<Frame>, FrameTooLong> {
        let mut frames = Vec::new();
        let mut rest = bytes;
        while !rest.is_empty() {
            if std::mem::take(&mut self.after_cr) && rest[0] == b'\n' {
                rest = &rest[1..];
                continue;
            }
            match rest.iter().position(|byte| matches!(byte, b'\r' | b'\n')) {
                None => {
                    self.extend_line(rest)?;
                    break;
                }
                Some(end) => {
                    self.extend_line(&rest[..end])?;
                    self.after_cr = rest[end] == b'\r';
                    rest = &rest[end + 1..];
                    frames.extend(self.end_line());
                }
            }
        }
        Ok(frames)
    }

    /// The last frame, where the stream ended without the empty line that closes it.
    #[must_use]
    pub fn finish(mut self) -> Option<Frame> {
        if !self.line.is_empty() {
            self.end_line();
        }
        self.dispatch()
    }

    fn extend_line(&mut self, bytes: &[u8]) -> Result<(), FrameTooLong> {
        let waiting = self.line.len() + self.data.as_ref().map_or(0, String::len);
        if waiting + bytes.len() > self.event_bytes_max {
            return Err(FrameTooLong { event_bytes_max: self.event_bytes_max });
        }
        self.line.extend_from_slice(bytes);
        Ok(())
    }

    fn end_line(&mut self) -> Option<Frame> {
        let line = std::mem::take(&mut self.line);
        let mut line = line.as_slice();
        if std::mem::take(&mut self.at_start) {
            line = line.strip_prefix(BYTE_ORDER_MARK).unwrap_or(line);
        }
        if line.is_empty() {
            return self.dispatch();
        }
        self.take_field(&String::from_utf8_lossy(line));
        None
    }

    fn take_field(&mut self, line: &str) {
        let (name, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match name {
            "data" => match &mut self.data {
                Some(data) => {
                    data.push('\n');
                    data.push_str(value);
                }
                None => self.data = Some(value.to_owned()),
            },
            "event" => self.event = Some(value.to_owned()),
            // Comments (an empty name), `id`, `retry` and names that nobody knows.
            _ => {}
        }
    }

    /// An event without data is no event.
    fn dispatch(&mut self) -> Option<Frame> {
        let event = self.event.take().filter(|name| !name.is_empty());
        let data = self.data.take()?;
        Some(Frame { event, data })
    }
}
