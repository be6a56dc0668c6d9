//! Server-sent events from bytes, each bounded
//! (<https://html.spec.whatwg.org/multipage/server-sent-events.html#parsing-an-event-stream>).

use sse_stream::Sse;

/// An event is longer than allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an event is longer than {0} bytes")]
pub(super) struct TooLong(pub(super) usize);

/// Takes bytes in any pieces and gives events.
#[derive(Debug)]
pub(super) struct Events {
    event: Sse,
    line: Vec<u8>,
    /// Bytes of the lines that the event has so far.
    event_bytes: usize,
    /// The last byte was `\r`: a `\n` right behind it ends no further line.
    after_return: bool,
    /// Nothing came yet: a byte-order mark may.
    is_start: bool,
    bytes_max: usize,
}

impl Events {
    pub(super) fn new(bytes_max: usize) -> Self {
        Events {
            event: Sse::default(),
            line: Vec::new(),
            event_bytes: 0,
            after_return: false,
            is_start: true,
            bytes_max,
        }
    }

    /// The events that these bytes complete.
    pub(super) fn feed(&mut self, bytes: &[u8]) -> Result<Vec<Sse>, TooLong> {
        let mut events = Vec::new();
        for byte in bytes {
            match byte {
                b'\n' if self.after_return => self.after_return = false,
                b'\n' | b'\r' => {
                    self.after_return = *byte == b'\r';
                    events.extend(self.end_line());
                }
                _ => {
                    self.after_return = false;
                    if self.event_bytes + self.line.len() >= self.bytes_max {
                        return Err(TooLong(self.bytes_max));
                    }
                    self.line.push(*byte);
                }
            }
        }
        Ok(events)
    }

    fn end_line(&mut self) -> Option<Sse> {
        let line = std::mem::take(&mut self.line);
        let text = String::from_utf8_lossy(&line);
        let text = if std::mem::take(&mut self.is_start) {
            text.strip_prefix('\u{feff}').unwrap_or(&text)
        } else {
            &text
        };
        if text.is_empty() {
            self.event_bytes = 0;
            let event = std::mem::take(&mut self.event);
            return (event != Sse::default()).then_some(event);
        }
        if !text.starts_with(':') {
            self.event_bytes += line.len() + 1;
            let (name, value) = text.split_once(':').unwrap_or((text, ""));
            self.field(name, value.strip_prefix(' ').unwrap_or(value));
        }
        None
    }

    fn field(&mut self, name: &str, value: &str) {
        match name {
            "data" => match &mut self.event.data {
                None => self.event.data = Some(value.to_owned()),
                Some(data) => {
                    data.push('\n');
                    data.push_str(value);
                }
            },
            "event" => self.event.event = Some(value.to_owned()),
            "id" if !value.contains('\0') => self.event.id = Some(value.to_owned()),
            "retry" if value.bytes().all(|b| b.is_ascii_digit()) => {
                self.event.retry = value.parse().ok();
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The same events, whatever pieces the bytes come in.
    fn check(text: &str, wanted: &[Sse]) {
        for piece in [1, 2, 3, text.len().max(1)] {
            let mut events = Events::new(64);
            let mut found = Vec::new();
            for bytes in text.as_bytes().chunks(piece) {
                found.extend(events.feed(bytes).unwrap());
            }
            assert_eq!(found, wanted, "{text:?} in pieces of {piece}");
        }
    }

    #[test]
    fn events_are_read_in_any_pieces() {
        let data = |text: &str| Sse::default().data(text);
        check("data: a\n\n", &[data("a")]);
        check("\u{feff}data:a\r\n\r\ndata: b\r\rdata:  c\n\n", &[data("a"), data("b"), data(" c")]);
        check("data: a\ndata\ndata: b\n\n", &[data("a\n\nb")]);
        check(": comment\n\n:\n\ndata: a\n: more\n\n", &[data("a")]);
        check(
            "id: 7\nevent: message\nretry: 10\ndata: ż\n\n",
            &[data("ż").id("7").event("message").retry(10)],
        );
        check("retry: soon\nunknown: x\n\ndata: unfinished", &[]);
        check("id: 1\n\n", &[Sse::default().id("1")]);
    }

    #[test]
    fn an_event_is_bounded_and_comments_are_not_kept() {
        let mut events = Events::new(64);
        for _ in 0..1_000 {
            assert_eq!(events.feed(b": still here\n").unwrap(), []);
        }
        assert_eq!(events.feed(b"data: 1\n\n").unwrap().len(), 1);
        for long in ["x".repeat(65), "data: 12345678\n".repeat(5), format!(":{}", "c".repeat(64))] {
            assert_eq!(Events::new(64).feed(long.as_bytes()), Err(TooLong(64)), "{long}");
        }
    }
}
