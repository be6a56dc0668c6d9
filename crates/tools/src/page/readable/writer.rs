//! Text with lines and paragraphs, from words and the elements around them.

/// The longest text made of one page, in bytes.
const TEXT_BYTES_MAX: usize = 4 * 1_024 * 1_024;

/// Links that are shown with their addresses; more of them are words alone.
const LINKS_MAX: usize = 2_000;

/// Text in the making.
#[derive(Debug, Default)]
pub(super) struct Writer {
    out: String,
    /// Line ends to write before the next word.
    breaks: usize,
    /// Whether a blank stands before the next word.
    blank: bool,
    /// What stands before the next word of a line: a bullet, a heading's sign.
    mark: &'static str,
    /// Open `pre` elements.
    preserved: u32,
    links: usize,
}

impl Writer {
    pub(super) fn is_full(&self) -> bool {
        self.out.len() > TEXT_BYTES_MAX
    }

    pub(super) fn takes_links(&self) -> bool {
        self.links < LINKS_MAX
    }

    /// The text, with one line end at its end.
    pub(super) fn end(mut self) -> String {
        self.out.truncate(self.out.trim_end().len());
        if !self.out.is_empty() {
            self.out.push('\n');
        }
        self.out
    }

    pub(super) fn open(&mut self, name: &str) {
        self.border(name);
        match name {
            "h1" => self.mark = "# ",
            "h2" => self.mark = "## ",
            "h3" => self.mark = "### ",
            "h4" => self.mark = "#### ",
            "h5" => self.mark = "##### ",
            "h6" => self.mark = "###### ",
            "li" => self.mark = "- ",
            "dd" => self.mark = "  ",
            "hr" => self.whole_line("---"),
            "pre" | "listing" | "xmp" => {
                if self.preserved == 0 {
                    self.whole_line("```");
                }
                self.preserved = self.preserved.saturating_add(1);
            }
            "td" | "th" if !self.at_line_start() => {
                self.blank = false;
                self.raw(" | ");
            }
            _ => {}
        }
    }

    pub(super) fn close(&mut self, name: &str) {
        if matches!(name, "pre" | "listing" | "xmp") && self.preserved > 0 {
            self.preserved -= 1;
            if self.preserved == 0 {
                self.breaks = self.breaks.max(1);
                self.whole_line("```");
            }
        }
        if self.border(name) {
            self.mark = "";
        }
    }

    pub(super) fn link_begins(&mut self, shown: bool) {
        if shown {
            self.lead();
            self.raw("[");
        }
    }

    pub(super) fn link_ends(&mut self, target: Option<&str>) {
        let Some(target) = target else { return };
        self.links += 1;
        if self.out.ends_with('[') {
            // A link around nothing, or around a picture without words.
            self.out.pop();
            return;
        }
        self.breaks = 0;
        let blank = std::mem::take(&mut self.blank);
        self.raw("](");
        self.raw(target);
        self.raw(")");
        self.blank = blank;
    }

    pub(super) fn text(&mut self, text: &str) {
        if self.is_full() {
            return;
        }
        if self.preserved > 0 {
            // The line end right after the tag is not part of the text.
            let first = self.out.ends_with("```") && self.breaks == 1;
            let text = if first { text.strip_prefix('\n').unwrap_or(text) } else { text };
            self.lead();
            self.raw(text);
            return;
        }
        for (at, word) in text.split(char::is_whitespace).enumerate() {
            self.blank |= at > 0;
            if !word.is_empty() {
                self.lead();
                self.raw(word);
            }
        }
    }

    /// Writes what stands before the next word.
    fn lead(&mut self) {
        if self.breaks > 0 || self.out.is_empty() {
            if !self.out.is_empty() {
                self.out.truncate(self.out.trim_end_matches(' ').len());
                let ends = self.out.len() - self.out.trim_end_matches('\n').len();
                self.out.extend(std::iter::repeat_n('\n', self.breaks.saturating_sub(ends)));
            }
        } else if self.blank && !self.out.ends_with([' ', '\n', '[']) {
            self.out.push(' ');
        }
        (self.breaks, self.blank) = (0, false);
        let mark = std::mem::take(&mut self.mark);
        self.out.push_str(mark);
    }

    fn raw(&mut self, text: &str) {
        self.out.push_str(text);
    }

    fn whole_line(&mut self, text: &str) {
        self.mark = "";
        self.lead();
        self.raw(text);
        self.breaks = self.breaks.max(1);
    }

    fn at_line_start(&self) -> bool {
        self.breaks > 0 || self.out.is_empty() || self.out.ends_with('\n')
    }

    /// Keeps what is inside an element apart from what is outside; whether they are.
    fn border(&mut self, name: &str) -> bool {
        let breaks = match name {
            "p" | "h1" | "h2" | "h3" | "h4" | "h5" | "h6" | "blockquote" | "pre" | "listing"
            | "xmp" | "ul" | "ol" | "dl" | "table" | "figure" | "hr" => 2,
            "br" | "div" | "li" | "dt" | "dd" | "tr" | "section" | "article" | "header"
            | "footer" | "nav" | "main" | "aside" | "form" | "fieldset" | "figcaption"
            | "address" | "details" | "summary" | "caption" | "thead" | "tbody" | "tfoot"
            | "body" | "html" | "head" | "title" | "dialog" | "legend" | "option" | "button"
            | "center" => 1,
            _ => 0,
        };
        self.breaks = self.breaks.max(breaks);
        breaks > 0
    }
}
