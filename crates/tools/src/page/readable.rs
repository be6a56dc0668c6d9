//! HTML as text that a model can read: headings, paragraphs, lists, tables, links.
//!
//! Tokens are turned into text as they come, and no tree is built: however deep a page is
//! nested, nothing grows but the text. What people do not see (scripts, styles, hidden
//! elements, comments) is left out, because orders to machines like to stand there.

mod writer;

use std::cell::RefCell;
use std::time::{Duration, Instant};

use html5ever::tendril::StrTendril;
use html5ever::tokenizer::states::RawKind;
use html5ever::tokenizer::{
    BufferQueue, Tag, TagKind, Token, TokenSink, TokenSinkResult, Tokenizer, TokenizerOpts,
};
use reqwest::Url;

use crate::files::Stop;
use crate::words::plain;
use writer::Writer;

/// How much is read between two looks at the clock, in bytes.
const PIECE_BYTES: usize = 8 * 1_024;

/// How long reading one page may take, in milliseconds: a tag with very many attributes
/// takes time that grows with their square.
const READ_MS_MAX: u64 = 2_000;

/// The longest title, in characters.
const TITLE_CHARS_MAX: usize = 300;

/// The longest text in place of an image, in characters.
const ALT_CHARS_MAX: usize = 200;

/// What is to be read of a page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Readable {
    pub(crate) title: String,
    pub(crate) text: String,
    /// Why it ends early, where it does.
    pub(crate) cut: Option<&'static str>,
}

/// The text of a page whose links start at `base`.
pub(crate) fn readable(html: &str, base: &Url, stop: &Stop) -> Readable {
    let sink = Sink(RefCell::new(Page::new(base.clone())));
    let tokenizer = Tokenizer::new(sink, TokenizerOpts::default());
    let queue = BufferQueue::default();
    let end = Instant::now() + Duration::from_millis(READ_MS_MAX);
    let mut late = false;
    for piece in pieces(html) {
        queue.push_back(StrTendril::from(piece));
        let _ = tokenizer.feed(&queue);
        if stop.is_set() || Instant::now() > end {
            late = true;
            break;
        }
        if tokenizer.sink.0.borrow().writer.is_full() {
            break;
        }
    }
    if !late {
        tokenizer.end();
    }
    let page = tokenizer.sink.0.into_inner();
    let full = page.writer.is_full().then_some("it is too long");
    Readable {
        title: plain(&page.title, TITLE_CHARS_MAX),
        cut: if late { Some("reading it took too long") } else { full },
        text: page.writer.end(),
    }
}

/// The text in pieces that end between characters.
fn pieces(html: &str) -> impl Iterator<Item = &str> {
    let mut rest = html;
    std::iter::from_fn(move || {
        let mut at = rest.len().min(PIECE_BYTES);
        while !rest.is_char_boundary(at) {
            at += 1;
        }
        let (piece, after) = rest.split_at(at);
        rest = after;
        (!piece.is_empty()).then_some(piece)
    })
}

struct Sink(RefCell<Page>);

/// What was read so far.
struct Page {
    base: Url,
    writer: Writer,
    title: String,
    in_title: bool,
    /// An element that is not shown, and how many of its name are open inside of it.
    hidden: Option<(String, u32)>,
    links: Vec<Option<String>>,
}

/// Links inside one another that are kept apart; only broken pages have any.
const OPEN_LINKS_MAX: usize = 8;

impl TokenSink for Sink {
    type Handle = ();

    fn process_token(&self, token: Token, _line: u64) -> TokenSinkResult<()> {
        let mut page = self.0.borrow_mut();
        match token {
            Token::TagToken(tag) => match tag.kind {
                TagKind::StartTag => return page.open(&tag),
                TagKind::EndTag => page.close(&tag.name),
            },
            Token::CharacterTokens(text) => page.text(&text),
            Token::DoctypeToken(_)
            | Token::CommentToken(_)
            | Token::NullCharacterToken
            | Token::EOFToken
            | Token::ParseError(_) => {}
        }
        TokenSinkResult::Continue
    }
}

impl Page {
    fn new(base: Url) -> Self {
        Page {
            base,
            writer: Writer::default(),
            title: String::new(),
            in_title: false,
            hidden: None,
            links: Vec::new(),
        }
    }

    fn open(&mut self, tag: &Tag) -> TokenSinkResult<()> {
        let name = &*tag.name;
        if let Some((hidden, depth)) = &mut self.hidden {
            if hidden == name && !tag.self_closing {
                *depth += 1;
            }
            return raw(name);
        }
        if is_unseen(name) || (can_hide(name) && is_hidden(tag)) {
            if !tag.self_closing {
                self.hidden = Some((name.to_owned(), 0));
            }
            return raw(name);
        }
        match name {
            "title" => self.in_title = self.title.is_empty(),
            "a" => {
                let target = attribute(tag, "href").and_then(|href| self.target(href));
                if self.links.len() < OPEN_LINKS_MAX {
                    self.writer.link_begins(target.is_some());
                    self.links.push(target);
                }
            }
            "img" => {
                let alt = attribute(tag, "alt").map(|alt| plain(alt, ALT_CHARS_MAX));
                if let Some(alt) = alt.filter(|alt| !alt.is_empty()) {
                    self.writer.text(&format!("[image: {alt}]"));
                }
            }
            name => self.writer.open(name),
        }
        raw(name)
    }

    fn close(&mut self, name: &str) {
        if let Some((hidden, depth)) = &mut self.hidden {
            if hidden == name {
                match depth.checked_sub(1) {
                    Some(less) => *depth = less,
                    None => self.hidden = None,
                }
            }
            return;
        }
        match name {
            "title" => self.in_title = false,
            "a" => {
                if let Some(target) = self.links.pop() {
                    self.writer.link_ends(target.as_deref());
                }
            }
            name => self.writer.close(name),
        }
    }

    fn text(&mut self, text: &str) {
        if self.hidden.is_some() {
            return;
        }
        if self.in_title {
            if self.title.len() < 4 * TITLE_CHARS_MAX {
                self.title.push_str(text);
            }
            return;
        }
        self.writer.text(text);
    }

    /// Where a link leads, if it is another page.
    fn target(&self, href: &str) -> Option<String> {
        let href = href.trim();
        if href.starts_with('#') || !self.writer.takes_links() {
            return None;
        }
        let url = self.base.join(href).ok()?;
        let url = matches!(url.scheme(), "http" | "https").then(|| url.to_string())?;
        (url.len() <= guard::url::URL_BYTES_MAX).then_some(url)
    }
}

fn attribute<'t>(tag: &'t Tag, name: &str) -> Option<&'t str> {
    tag.attrs.iter().find(|one| &*one.name.local == name).map(|one| &*one.value)
}

/// Elements that a reader does not see, or that are no text.
fn is_unseen(name: &str) -> bool {
    matches!(
        name,
        "script"
            | "style"
            | "template"
            | "svg"
            | "math"
            | "iframe"
            | "noembed"
            | "noframes"
            | "object"
            | "canvas"
            | "audio"
            | "video"
            | "select"
            | "textarea"
            | "datalist"
    )
}

/// Whether an element has an end that must be written: only then it is known how far it
/// goes without a tree.
fn can_hide(name: &str) -> bool {
    !matches!(
        name,
        "html"
            | "head"
            | "body"
            | "p"
            | "li"
            | "dt"
            | "dd"
            | "tr"
            | "td"
            | "th"
            | "thead"
            | "tbody"
            | "tfoot"
            | "colgroup"
            | "caption"
            | "option"
            | "optgroup"
            | "rt"
            | "rp"
            | "area"
            | "base"
            | "br"
            | "col"
            | "embed"
            | "hr"
            | "img"
            | "input"
            | "link"
            | "meta"
            | "source"
            | "track"
            | "wbr"
    )
}

fn is_hidden(tag: &Tag) -> bool {
    if attribute(tag, "hidden").is_some() {
        return true;
    }
    let style = attribute(tag, "style").unwrap_or_default();
    let style: String = style.chars().filter(|c| !c.is_whitespace()).take(1_024).collect();
    let style = style.to_ascii_lowercase();
    ["display:none", "visibility:hidden", "font-size:0", "opacity:0"].iter().any(|hides| {
        // `opacity:0.5` is seen.
        style.match_indices(hides).any(|(at, _)| {
            let after = style[at + hides.len()..].chars().next();
            after.is_none_or(|c| matches!(c, ';' | '!' | 'p' | 'e' | 'r'))
        })
    })
}

/// How what follows a start tag is read.
fn raw(name: &str) -> TokenSinkResult<()> {
    match name {
        "script" => TokenSinkResult::RawData(RawKind::ScriptData),
        "style" | "iframe" | "noembed" | "noframes" | "xmp" => {
            TokenSinkResult::RawData(RawKind::Rawtext)
        }
        "title" | "textarea" => TokenSinkResult::RawData(RawKind::Rcdata),
        "plaintext" => TokenSinkResult::Plaintext,
        _ => TokenSinkResult::Continue,
    }
}
