//! Text that was encoded as a whole: base64 in both alphabets, also in lines, and
//! hexadecimal digits. What decodes to readable text with something in it goes as a whole.
//!
//! Pictures, hashes and names decode to bytes that are no text, and stay.

use base64::Engine as _;
use base64::alphabet::{STANDARD, URL_SAFE};
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use super::walk::ENCODED_BYTES_MIN;
use super::{PAGE_DEPTH_MAX, Search};
use crate::class::Class;

/// Bytes that are decoded to see whether it is text at all.
const TASTE_BYTES: usize = 24;

/// Shortest hexadecimal text that is decoded: shorter ones hold no secret.
const HEX_BYTES_MIN: usize = 40;

/// Shortest line of base64 that goes on in the next one: RFC 7468 has 64, RFC 2045 has 76.
const LINE_BYTES_MIN: usize = 60;

const LENIENT: GeneralPurposeConfig = GeneralPurposeConfig::new()
    .with_decode_padding_mode(DecodePaddingMode::Indifferent)
    .with_decode_allow_trailing_bits(true);
const BASE64: GeneralPurpose = GeneralPurpose::new(&STANDARD, LENIENT);
const BASE64_URL: GeneralPurpose = GeneralPurpose::new(&URL_SAFE, LENIENT);

impl Search<'_> {
    /// Looks into a run of the letters of base64; answers where its text ends.
    pub(super) fn encoded(&mut self, text: &str, start: usize, end: usize, depth: u8) -> usize {
        if depth >= PAGE_DEPTH_MAX {
            return end;
        }
        let run = &text[start..end];
        if run.bytes().all(|b| b.is_ascii_hexdigit()) {
            self.hexadecimal(run, start, depth);
            return end;
        }
        if tastes_of_text(run) {
            return self.base64_lines(text, start, end, depth);
        }
        let mut at = start;
        for part in run.split(['/', '_', '-', '+']) {
            if part.len() >= ENCODED_BYTES_MIN && part.len() < run.len() && tastes_of_text(part) {
                self.base64(part, (at, at + part.len()), depth);
            }
            at += part.len() + 1;
        }
        end
    }

    fn base64_lines(&mut self, text: &str, start: usize, end: usize, depth: u8) -> usize {
        let mut content = text[start..end].to_owned();
        let mut last = end;
        while let Some((from, to)) = next_line(text, start, last) {
            content.push_str(&text[from..to]);
            last = to;
        }
        last += text.as_bytes()[last..].iter().take(2).take_while(|b| **b == b'=').count();
        self.base64(&content, (start, last), depth);
        last
    }

    fn base64(&mut self, content: &str, span: (usize, usize), depth: u8) {
        if !self.afford(content.len()) {
            self.add_said(Class::Secrets, "encoded", span);
            return;
        }
        if let Some(decoded) = decode(content) {
            self.inside(&decoded, span, depth);
        }
    }

    fn hexadecimal(&mut self, run: &str, start: usize, depth: u8) {
        if run.len() < HEX_BYTES_MIN || !run.len().is_multiple_of(2) {
            return;
        }
        let span = (start, start + run.len());
        let taste = bytes_of_hex(&run[..HEX_BYTES_MIN]);
        if !is_text(&taste, true) {
            return;
        }
        if !self.afford(run.len()) {
            self.add_said(Class::Secrets, "encoded", span);
            return;
        }
        self.inside(&readable(bytes_of_hex(run)), span, depth);
    }

    fn inside(&mut self, decoded: &str, span: (usize, usize), depth: u8) {
        if let Some(found) = self.nested(decoded, depth) {
            self.add(found.class, found.id, span);
        }
    }
}

/// The next line of a text in lines: same length or the last.
fn next_line(text: &str, start: usize, last: usize) -> Option<(usize, usize)> {
    let bytes = text.as_bytes();
    let line = bytes[start..last].iter().rev().take_while(|b| is_base64(**b)).count();
    let rest = &bytes[last..];
    let gap = if rest.starts_with(b"\r\n") { 2 } else { usize::from(rest.starts_with(b"\n")) };
    if line < LINE_BYTES_MIN || gap == 0 {
        return None;
    }
    let from = last + gap;
    let length = bytes[from..].iter().take_while(|b| is_base64(**b)).count();
    (length >= 4 && length <= line).then_some((from, from + length))
}

fn is_base64(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'+' || byte == b'/'
}

fn tastes_of_text(run: &str) -> bool {
    decode_bytes(&run[..run.len().min(TASTE_BYTES)]).is_some_and(|bytes| is_text(&bytes, true))
}

fn decode(run: &str) -> Option<String> {
    decode_bytes(run).map(readable)
}

fn decode_bytes(run: &str) -> Option<Vec<u8>> {
    // One letter too many holds no byte of its own.
    let run = if run.len() % 4 == 1 { &run[..run.len() - 1] } else { run };
    BASE64.decode(run).or_else(|_| BASE64_URL.decode(run)).ok()
}

/// UTF-8, or UTF-16 as some shells encode their commands.
fn readable(bytes: Vec<u8>) -> String {
    if is_utf_16(&bytes) {
        let units = bytes.chunks_exact(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]]));
        return char::decode_utf16(units).map(|c| c.unwrap_or('\u{FFFD}')).collect();
    }
    String::from_utf8(bytes)
        .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
}

fn is_utf_16(bytes: &[u8]) -> bool {
    bytes.len() >= 4 && bytes.chunks_exact(2).all(|pair| pair[1] == 0 && pair[0] != 0)
}

/// Whether bytes are readable; where they are only the beginning, their last character may
/// be incomplete.
fn is_text(bytes: &[u8], cut: bool) -> bool {
    let control = |b: &u8| *b < 0x20 && !matches!(b, b'\n' | b'\r' | b'\t') || *b == 0x7F;
    if is_utf_16(&bytes[..bytes.len() / 2 * 2]) {
        return true;
    }
    !bytes.iter().any(control)
        && match std::str::from_utf8(bytes) {
            Ok(_) => true,
            Err(error) => cut && error.error_len().is_none(),
        }
}

fn bytes_of_hex(run: &str) -> Vec<u8> {
    let digit = |b: u8| char::from(b).to_digit(16).unwrap_or(0);
    let pairs = run.as_bytes().chunks_exact(2);
    pairs.map(|pair| u8::try_from(digit(pair[0]) * 16 + digit(pair[1])).unwrap_or(0)).collect()
}
