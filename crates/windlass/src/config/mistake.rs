//! Mistakes in a file, and how they are shown to the person who made them.
//!
//! A mistake knows its bytes in the text; line and column are counted only when it is
//! shown. All mistakes of a file travel together, in the order in which they stand there.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use miette::{Diagnostic, GraphicalReportHandler, GraphicalTheme, LabeledSpan, SourceCode};

/// Bytes of the file's text.
pub(crate) type Span = Range<usize>;

/// Longest drawn report, in mistakes. The rest is counted.
const SHOWN_MAX: usize = 20;

/// A file's name and text.
#[derive(Clone, Debug)]
pub(crate) struct Source {
    name: Arc<str>,
    pub(super) text: Arc<str>,
}

impl Source {
    /// Takes over a text under the name that people know it by.
    pub(super) fn new(name: &str, text: &str) -> Self {
        Source { name: name.into(), text: text.into() }
    }

    /// Line and column of a byte, both from 1; columns count characters.
    fn place(&self, byte: usize) -> (usize, usize) {
        let before = self.text.get(..byte).unwrap_or(&self.text);
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        let line = before.matches('\n').count() + 1;
        (line, before[line_start..].chars().count() + 1)
    }

    /// What a line holds from a column on; both count from 1.
    pub(super) fn rest_of(&self, line: usize, column: usize) -> Span {
        let mut lines = self.text.split_inclusive('\n').scan(0, |at, line| {
            let start = *at;
            *at += line.len();
            Some((start, line.trim_end()))
        });
        let end = self.text.len();
        let (start, text) = lines.nth(line.saturating_sub(1)).unwrap_or((end, ""));
        let from = text.char_indices().nth(column.saturating_sub(1));
        start + from.map_or(text.len(), |(at, _)| at)..start + text.len()
    }
}

/// One mistake.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Mistake {
    span: Span,
    words: String,
    hint: Option<String>,
}

impl Mistake {
    /// What is wrong, and where.
    pub(super) fn new(span: Span, words: impl Into<String>) -> Self {
        Mistake { span, words: words.into(), hint: None }
    }

    /// Says what to do about it.
    pub(super) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

/// A file with mistakes: at least one.
#[derive(Clone, Debug)]
pub(crate) struct Broken {
    source: Source,
    mistakes: Vec<Mistake>,
}

/// How a broken file is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Look {
    /// `file:line:column: words`, for logs and pipes.
    Plain,
    /// Drawn into the file's text without colours.
    Drawn,
    /// Drawn into the file's text in colours.
    Coloured,
}

impl Broken {
    /// Gathers the mistakes of one file in the order of its text.
    pub(super) fn new(source: Source, mut mistakes: Vec<Mistake>) -> Self {
        mistakes.sort_by_key(|mistake| mistake.span.start);
        mistakes.dedup();
        Broken { source, mistakes }
    }

    /// The whole report, ending in a line feed.
    pub(crate) fn show(&self, look: Look) -> String {
        let theme = match look {
            Look::Plain => return format!("{self}\n"),
            Look::Drawn => GraphicalTheme::unicode_nocolor(),
            Look::Coloured => GraphicalTheme::unicode(),
        };
        let handler = GraphicalReportHandler::new_themed(theme).with_links(false);
        let mut out = String::new();
        for mistake in self.mistakes.iter().take(SHOWN_MAX) {
            let drawing = Drawing { mistake, source: &self.source };
            if handler.render_report(&mut out, &drawing).is_err() {
                return format!("{self}\n");
            }
        }
        if let Some(rest) = self.unshown() {
            out.push_str(&format!("{rest}\n"));
        }
        out
    }

    fn unshown(&self) -> Option<String> {
        let count = self.mistakes.len().saturating_sub(SHOWN_MAX);
        (count > 0).then(|| format!("and {count} more mistakes"))
    }
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut lines = Vec::new();
        for mistake in self.mistakes.iter().take(SHOWN_MAX) {
            let (line, column) = self.source.place(mistake.span.start);
            let name = &self.source.name;
            lines.push(format!("{name}:{line}:{column}: {}", mistake.words));
            lines.extend(mistake.hint.iter().map(|hint| format!("  {hint}")));
        }
        lines.extend(self.unshown());
        f.write_str(&lines.join("\n"))
    }
}

impl std::error::Error for Broken {}

/// One mistake as miette draws it.
#[derive(Debug)]
struct Drawing<'a> {
    mistake: &'a Mistake,
    source: &'a Source,
}

impl fmt::Display for Drawing<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.mistake.words)
    }
}

impl std::error::Error for Drawing<'_> {}

impl Diagnostic for Drawing<'_> {
    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        let hint = self.mistake.hint.as_ref()?;
        Some(Box::new(hint))
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        Some(self)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        let span = self.mistake.span.clone();
        let first_line = self.source.text.get(span.clone()).unwrap_or_default();
        let length = first_line.lines().next().unwrap_or_default().len();
        let label = LabeledSpan::at(span.start..span.start + length, "here");
        Some(Box::new(std::iter::once(label)))
    }
}

impl SourceCode for Drawing<'_> {
    fn read_span<'a>(
        &'a self,
        span: &miette::SourceSpan,
        before: usize,
        after: usize,
    ) -> Result<Box<dyn miette::SpanContents<'a> + 'a>, miette::MietteError> {
        let found = self.source.text.read_span(span, before, after)?;
        Ok(Box::new(miette::MietteSpanContents::new_named(
            self.source.name.to_string(),
            found.data(),
            *found.span(),
            found.line(),
            found.column(),
            found.line_count(),
        )))
    }
}
