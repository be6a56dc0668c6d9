//! One pass over a page as it stands: first by words, then by runs of letters and digits.

use super::Search;
use crate::class::Class;
use crate::rules::Act;

impl Search<'_> {
    /// Looks at a page without decoding it.
    pub(super) fn plain(&mut self, text: &str, depth: u8) {
        let rules = self.rules;
        let mut last_noun = 0;
        for hit in rules.automaton.find_overlapping_iter(text) {
            for act in rules.acts(hit.pattern().as_usize()) {
                self.act(text, *act, (hit.start(), hit.end()), &mut last_noun);
            }
        }
        self.walk(text, depth);
    }

    fn act(&mut self, text: &str, act: Act, hit: (usize, usize), last_noun: &mut usize) {
        match act {
            Act::Form(number) => self.form(text, number, hit.0),
            Act::Noun => self.noun(text, hit, last_noun),
            Act::Scheme => self.scheme(text, hit),
            Act::Cookie => self.cookie(text, hit),
            Act::At => self.mail(text, hit.0),
            Act::SpelledAt => self.spelled_mail(text, hit),
            Act::Address => self.address(text, hit),
            Act::PrivateKey => self.private_key(text, hit.0),
            Act::Birth => self.birth(text, hit),
            Act::ShortCode => self.short_code(text, hit),
            Act::Document => self.document(text, hit),
        }
    }

    fn form(&mut self, text: &str, number: usize, at: usize) {
        let form = &self.rules.forms[number];
        if !self.classes.contains(form.class) {
            return;
        }
        if let Some(span) = form.find(&self.rules.words, text, at) {
            match form.class {
                Class::Secrets => self.add(form.class, &form.id, span),
                Class::Email
                | Class::Phone
                | Class::Card
                | Class::Iban
                | Class::NationalId
                | Class::Address
                | Class::BirthDate
                | Class::Ip => self.add_said(form.class, &form.id, span),
            }
        }
    }
}
