//! Lines of a stream, each bounded: of one that is too long the two ends are kept.

use std::io;

use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader};

use super::super::message::END_BYTES;

/// Bytes kept of the beginning of a line that is too long.
const HEAD_BYTES: usize = 1_024;

/// A line without its end.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Line {
    /// All of it.
    Whole(Vec<u8>),
    /// More than was allowed.
    TooLong {
        /// Its beginning.
        head: Vec<u8>,
        /// Its end.
        tail: Vec<u8>,
    },
}

/// Reads line by line. Dropping [`Lines::next`] loses nothing.
pub(super) struct Lines<R> {
    reader: BufReader<R>,
    line: Vec<u8>,
    /// The last bytes of a line that is already too long.
    tail: Option<Vec<u8>>,
    bytes_max: usize,
}

impl<R: AsyncRead + Unpin> Lines<R> {
    pub(super) fn new(stream: R, bytes_max: usize) -> Self {
        Lines { reader: BufReader::new(stream), line: Vec::new(), tail: None, bytes_max }
    }

    /// The next line; `None` at the end of the stream. `came` is told of every byte read.
    pub(super) async fn next(&mut self, came: impl Fn(usize)) -> io::Result<Option<Line>> {
        loop {
            let found = self.reader.fill_buf().await?;
            if found.is_empty() {
                let rest = self.take();
                let is_nothing = matches!(&rest, Line::Whole(bytes) if bytes.is_empty());
                return Ok((!is_nothing).then_some(rest));
            }
            let end = found.iter().position(|byte| *byte == b'\n');
            let part = &found[..end.unwrap_or(found.len())];
            add(&mut self.line, &mut self.tail, part, self.bytes_max);
            let used = end.map_or(found.len(), |end| end + 1);
            self.reader.consume(used);
            came(used);
            if end.is_some() {
                return Ok(Some(self.take()));
            }
        }
    }

    fn take(&mut self) -> Line {
        let line = std::mem::take(&mut self.line);
        match self.tail.take() {
            None => Line::Whole(line),
            Some(tail) => Line::TooLong { head: line, tail },
        }
    }
}

fn add(line: &mut Vec<u8>, tail: &mut Option<Vec<u8>>, part: &[u8], bytes_max: usize) {
    if tail.is_none() && line.len() + part.len() <= bytes_max {
        line.extend_from_slice(part);
        return;
    }
    let last = line.len().saturating_sub(END_BYTES);
    let kept = tail.get_or_insert_with(|| line[last..].to_vec());
    let room = HEAD_BYTES.saturating_sub(line.len()).min(part.len());
    line.extend_from_slice(&part[..room]);
    line.truncate(HEAD_BYTES);
    line.shrink_to(HEAD_BYTES);
    kept.extend_from_slice(&part[part.len().saturating_sub(END_BYTES)..]);
    let surplus = kept.len().saturating_sub(END_BYTES);
    kept.drain(..surplus);
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn all(text: &[u8], bytes_max: usize) -> Vec<Line> {
        let mut lines = Lines::new(text, bytes_max);
        let mut found = Vec::new();
        while let Some(line) = lines.next(|_| ()).await.unwrap() {
            found.push(line);
        }
        found
    }

    fn whole(text: &str) -> Line {
        Line::Whole(text.as_bytes().to_vec())
    }

    #[tokio::test]
    async fn lines_come_one_by_one_and_the_last_without_its_end() {
        assert_eq!(all(b"a\n\nbc\nd", 8).await, [whole("a"), whole(""), whole("bc"), whole("d")]);
        assert_eq!(all(b"", 8).await, []);
        assert_eq!(all(b"12345678\n", 8).await, [whole("12345678")]);
    }

    #[tokio::test]
    async fn of_a_long_line_the_ends_are_kept_and_the_next_one_is_whole() {
        let long = format!("{{\"id\":1,{}\"last\":2}}", "x".repeat(1_000_000));
        let found = all(format!("{long}\nnext\n").as_bytes(), 10_000).await;
        let [Line::TooLong { head, tail }, next] = &found[..] else { panic!("{found:?}") };
        assert_eq!(*next, whole("next"));
        assert!(head.starts_with(b"{\"id\":1,") && head.len() == HEAD_BYTES, "{}", head.len());
        assert!(tail.ends_with(b"\"last\":2}") && tail.len() == END_BYTES, "{}", tail.len());
    }

    #[tokio::test]
    async fn a_line_barely_too_long_keeps_its_ends_too() {
        for length in [9, 10, 255, 256, 257, 300, 2_000] {
            let long = "y".repeat(length);
            let found = all(format!("{long}\n").as_bytes(), 8).await;
            let [Line::TooLong { head, tail }] = &found[..] else { panic!("{found:?}") };
            assert_eq!(head.len(), length.min(HEAD_BYTES), "{length}");
            assert_eq!(tail.len(), length.min(END_BYTES), "{length}");
        }
    }
}
