//! Cutting a result and reading on in it: nothing is lost, nothing told twice.

use kernel::frame;

use super::{OUTPUT_BYTES_MAX, cut, more};

#[test]
fn a_cut_result_reads_on_where_it_stopped() {
    for (content, shown_max) in [
        ("plain ".repeat(20_000), 1_000),
        ("ä€𝄞".repeat(9_001), 1_001),
        ("𝄞".repeat(5_000), 1),
        ("𝄞".repeat(5_000), 0),
    ] {
        let (shown, kept) = cut(content.clone(), shown_max);
        let kept = kept.expect("it is longer than what is shown");
        assert_eq!(kept.bytes, content.as_bytes());
        let (mut read, trailer) = shown.split_at(shown.rfind("\n[cut here").expect("it says so"));
        assert!(read.len() as u64 <= shown_max);
        assert!(trailer.contains(&kept.hash.to_string()[..16]));
        let mut whole = String::new();
        loop {
            whole.push_str(read);
            if whole.len() == content.len() {
                break;
            }
            let part = more::part(&content, "handle", whole.len() as u64);
            assert!(!part.is_error, "{}", part.content);
            let part: &str = Box::leak(part.content.into_boxed_str());
            read = part.rfind("\n[").map_or(part, |end| &part[..end]);
            assert!(!read.is_empty(), "each part brings something");
        }
        assert_eq!(whole, content);
        assert!(more::part(&content, "handle", content.len() as u64).is_error);
    }
}

#[test]
fn each_part_of_a_strangers_result_stands_between_its_marks() {
    let words = "ä€𝄞 words ".repeat(9_001);
    let content = frame::around("look", &words);
    let (opening, closing) = (frame::opening("look"), "\n</untrusted>");
    let (shown, _kept) = cut(content.clone(), 1_001);
    let (mut part, _trailer) = shown.split_at(shown.rfind("\n[cut here").expect("it says so"));
    let (mut read, mut whole) = (String::new(), String::new());
    loop {
        let inside = part.strip_prefix(&opening).and_then(|rest| rest.strip_suffix(closing));
        whole.push_str(inside.unwrap_or_else(|| panic!("no marks around {part}")));
        let at = opening.len() + whole.len();
        if at + closing.len() == content.len() {
            break;
        }
        read.clone_from(&more::part(&content, "handle", at as u64).content);
        part = read.rfind("\n[").map_or(&read, |end| &read[..end]);
    }
    assert!(whole == words, "{} of {} bytes", whole.len(), words.len());
}

#[test]
fn what_fits_is_not_touched_and_what_is_far_too_long_says_so() {
    for content in ["", "short", "ä".repeat(50).as_str()] {
        assert_eq!(cut(content.to_owned(), 100), (content.to_owned(), None));
    }
    let (shown, kept) = cut("x".repeat(OUTPUT_BYTES_MAX + 7), 10);
    assert_eq!(kept.map(|kept| kept.bytes.len()), Some(OUTPUT_BYTES_MAX));
    assert!(shown.contains("7 bytes beyond them were too much to keep"), "{shown}");
}
