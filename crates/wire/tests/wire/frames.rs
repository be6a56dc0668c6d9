//! Frames: cases of the event stream's grammar, limits, and any cutting of any bytes.

use proptest::prelude::*;
use wire::sse::{Frame, FrameTooLong, Frames};

use crate::streams::frames_of;

fn frame(event: Option<&str>, data: &str) -> Frame {
    Frame { event: event.map(str::to_owned), data: data.to_owned() }
}

#[test]
fn the_grammar_is_that_of_event_streams() {
    let cases: &[(&str, &[u8], &[Frame])] = &[
        ("two events", b"data: a\n\ndata: b\n\n", &[frame(None, "a"), frame(None, "b")]),
        ("a name", b"event: ping\ndata: {}\n\n", &[frame(Some("ping"), "{}")]),
        ("crlf", b"event: x\r\ndata: a\r\n\r\n", &[frame(Some("x"), "a")]),
        ("cr", b"event: x\rdata: a\r\rdata: b\r\r", &[frame(Some("x"), "a"), frame(None, "b")]),
        ("mixed", b"data: a\r\ndata: b\rdata: c\n\r\n", &[frame(None, "a\nb\nc")]),
        ("a mark", b"\xEF\xBB\xBFdata: a\n\n", &[frame(None, "a")]),
        ("a mark inside is data", b"data: \xEF\xBB\xBFa\n\n", &[frame(None, "\u{feff}a")]),
        ("comments", b": hello\n:\ndata: a\n: more\n\n", &[frame(None, "a")]),
        ("lines", b"data: a\ndata\ndata:\ndata: b\n\n", &[frame(None, "a\n\n\nb")]),
        ("no space", b"data:a\n\ndata:  b\n\n", &[frame(None, "a"), frame(None, " b")]),
        ("colons", b"data: a: b\n\n", &[frame(None, "a: b")]),
        ("id and retry", b"id: 7\nretry: 10\ndata: a\n\n", &[frame(None, "a")]),
        ("no data, no event", b"event: x\n\ndata: a\n\n", &[frame(None, "a")]),
        ("an empty data line", b"data:\n\n", &[frame(None, "")]),
        ("empty lines", b"\n\n\r\n\ndata: a\n\n\n\n", &[frame(None, "a")]),
        ("broken utf-8", b"data: a\xFFb\n\n", &[frame(None, "a\u{fffd}b")]),
        (
            "the tail without its end",
            b"data: a\n\ndata: b\n",
            &[frame(None, "a"), frame(None, "b")],
        ),
        (
            "the tail without a line end",
            b"data: a\n\ndata: b",
            &[frame(None, "a"), frame(None, "b")],
        ),
        ("nothing", b"", &[]),
    ];
    for (name, bytes, expected) in cases {
        assert_eq!(frames_of(&[bytes]), *expected, "{name}");
        for at in 0..=bytes.len() {
            let (before, after) = bytes.split_at(at);
            assert_eq!(frames_of(&[before, after]), *expected, "{name} cut at {at}");
        }
    }
}

#[test]
fn an_event_beyond_the_limit_is_refused_and_stays_refused() {
    let too_long = Err(FrameTooLong { event_bytes_max: 16 });
    let mut one_line = Frames::new(16);
    assert_eq!(one_line.push(b"data: 0123456789").map(|f| f.len()), Ok(0));
    assert_eq!(one_line.push(b"x"), too_long);
    assert_eq!(one_line.push(b"x"), too_long);
    // Many lines count together, many events do not.
    let mut lines = Frames::new(16);
    assert_eq!(lines.push(b"data: 01234567\ndata: 0123\n"), too_long);
    let mut events = Frames::new(16);
    for _ in 0..100 {
        assert_eq!(events.push(b"data: 01234567\n\n").unwrap().len(), 1);
    }
}

proptest! {
    #[test]
    fn any_bytes_cut_anyhow_are_the_same_frames(
        bytes in proptest::collection::vec(
            prop_oneof![Just(b'\n'), Just(b'\r'), Just(b':'), Just(b' '), Just(b'd'), any::<u8>()],
            0..200,
        ),
        sizes in proptest::collection::vec(1usize..9, 1..20),
    ) {
        let whole = frames_of(&[&bytes]);
        let mut chunks = Vec::new();
        let mut rest = bytes.as_slice();
        for size in sizes.iter().cycle() {
            if rest.is_empty() {
                break;
            }
            let (chunk, after) = rest.split_at((*size).min(rest.len()));
            chunks.push(chunk);
            rest = after;
        }
        prop_assert_eq!(frames_of(&chunks), whole);
    }

    #[test]
    fn what_is_written_is_read_again(
        event in proptest::option::of("[a-z_]{1,12}"),
        data in "[^\r]{0,80}",
    ) {
        let frame = Frame { event, data };
        let bytes = frame.write();
        prop_assert_eq!(frames_of(&[bytes.as_bytes()]), vec![frame]);
    }
}
