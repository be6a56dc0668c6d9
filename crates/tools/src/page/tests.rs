//! Types, letters, and pages that are made to be expensive.

use std::time::Instant;

use reqwest::Url;
use reqwest::header::HeaderValue;

use super::*;

fn told(content_type: &str) -> Type {
    Type::of(&HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_str(content_type).unwrap())]))
}

fn read(html: &str) -> Readable {
    readable(html, &Url::parse("https://h.test/dir/page").unwrap(), &Stop::default())
}

#[test]
fn only_text_is_text() {
    for (name, kind) in [
        ("text/html", Some(Kind::Html)),
        ("Text/HTML; charset=utf-8", Some(Kind::Html)),
        ("application/xhtml+xml", Some(Kind::Html)),
        ("text/markdown", Some(Kind::Text)),
        ("application/json", Some(Kind::Text)),
        ("image/svg+xml", Some(Kind::Text)),
        ("application/vnd.api+json", Some(Kind::Text)),
        ("application/octet-stream", None),
        ("application/pdf", None),
        ("image/png", None),
        ("nonsense", None),
        ("", None),
    ] {
        assert_eq!(told(name).kind(), kind, "{name}");
    }
}

#[test]
fn letters_are_read_as_the_reply_says_or_the_page_or_as_they_look() {
    for (content_type, body, kind, text) in [
        ("text/plain", &b"\xef\xbb\xbfa"[..], Kind::Text, Some("a")),
        ("text/plain; charset=utf-16", b"\xfe\xff\0a", Kind::Text, Some("a")),
        ("text/plain; charset=\"koi8-r\"", b"\xc1", Kind::Text, Some("а")),
        ("text/html", b"<meta charset='windows-1251'>\xe0", Kind::Html, None),
        ("text/plain", b"caf\xc3\xa9", Kind::Text, Some("café")),
        ("text/plain", b"caf\xe9", Kind::Text, Some("café")),
        ("text/plain; charset=nonsense", b"a", Kind::Text, Some("a")),
        ("text/plain", b"a\0b", Kind::Text, None),
    ] {
        let decoded = told(content_type).decode(body, kind);
        match (kind, decoded) {
            (Kind::Html, Some(html)) => assert!(html.ends_with('а'), "{html}"),
            (_, decoded) => assert_eq!(decoded.as_deref(), text, "{content_type}"),
        }
    }
}

#[test]
fn what_people_do_not_see_is_left_out() {
    for hidden in [
        "<script>X</script>",
        "<script><!--<script>X</script>--></script>",
        "<style>X</style>",
        "<!-- X -->",
        "<template><p>X</template>",
        "<div hidden><div>X</div>X</div>",
        "<span style='display : none'>X</span>",
        "<span style='color:red;VISIBILITY:hidden;'>X</span>",
        "<span style='font-size:0px'>X</span>",
        "<span style='opacity:0'>X</span>",
        "<textarea>X</textarea>",
        "<svg><svg>X</svg>X</svg>",
        "<noframes>X</noframes>",
    ] {
        let page = read(&format!("<p>before {hidden} after</p>"));
        assert_eq!(page.text, "before after\n", "{hidden}");
    }
    for seen in ["<span style='opacity:0.5'>X</span>", "<p hidden>", "<b>X</b>"] {
        assert!(read(&format!("before {seen} after")).text.contains("after"), "{seen}");
    }
}

#[test]
fn links_lead_to_whole_addresses_and_only_to_pages() {
    for (html, text) in [
        ("<a href=x>w</a>", "[w](https://h.test/dir/x)\n"),
        ("<a href='javascript:alert(1)'>w</a>", "w\n"),
        ("<a href='#top'>w</a>", "w\n"),
        ("a <a href=/x><img src=i></a> b", "a b\n"),
        ("<a href=/x><img src=i alt='a cat'></a>", "[[image: a cat]](https://h.test/x)\n"),
        ("<a href=//other.test>w</a>,", "[w](https://other.test/),\n"),
    ] {
        assert_eq!(read(html).text, text, "{html}");
    }
}

#[test]
fn pages_made_to_be_expensive_end_soon() {
    let attributes: String = (0..200_000).map(|at| format!(" a{at}")).collect();
    for (what, html) in [
        ("deep", "<div>".repeat(400_000)),
        ("deep formatting", "<b><i><a href=x>".repeat(100_000)),
        ("attributes", format!("<p{attributes}>")),
        ("lists", "<ul><li>".repeat(200_000) + "x"),
        ("open comment", "<!--".repeat(500_000)),
        ("open script", "<script><!--<script>".repeat(100_000)),
        ("entities", "&".repeat(2_000_000)),
        ("links", format!("<a href=x{}>w</a>", "y".repeat(50)).repeat(60_000)),
    ] {
        let began = Instant::now();
        let page = read(&html);
        let spent = began.elapsed().as_secs();
        assert!(spent < 30, "{what}: {spent} s");
        assert!(page.text.len() <= 5 * 1_024 * 1_024, "{what}: {}", page.text.len());
    }
}
