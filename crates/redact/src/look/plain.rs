//! One pass over a page as it stands: first by words, then by runs of letters and digits.

use super::{Read, Search};
use crate::rules::Act;

impl Search<'_> {
    /// Looks at a page without decoding it.
    pub(super) fn plain(&mut self, text: &str, depth: u8) {
        let rules = self.rules;
        self.read = Read { forms: vec![0; rules.forms.len()], ..Read::default() };
        for hit in rules.automaton.find_overlapping_iter(text) {
            for act in rules.acts(hit.pattern().as_usize()) {
                self.act(text, *act, (hit.start(), hit.end()));
            }
        }
        self.walk(text, depth);
    }

    fn act(&mut self, text: &str, act: Act, hit: (usize, usize)) {
        match act {
            Act::Form(number) => self.form(text, number, hit.0),
            Act::Noun => self.noun(text, hit),
            Act::Scheme => self.scheme(text, hit),
            Act::Cookie => self.cookie(text, hit),
            Act::At => self.mail(text, hit),
            Act::SpelledAt => self.spelled_mail(text, hit),
            Act::Address => self.address(text, hit),
            Act::PrivateKey => self.private_key(text, hit.0),
            Act::Birth => self.birth(text, hit),
            Act::ShortCode => self.short_code(text, hit),
            Act::Document => self.document(text, hit),
        }
    }

    fn form(&mut self, text: &str, number: usize, at: usize) {
        let rules = self.rules;
        let form = &rules.forms[number];
        if at < self.read.forms[number] || !self.classes.contains(form.class) {
            return;
        }
        let (read, span) = form.find(&rules.words, text, at);
        self.read.forms[number] = read;
        if let Some(span) = span {
            self.add_form(form, span);
        }
    }
}
