//! Redirects: files that are read stay in the workspace, files are not written at all.

use brush_parser::ast;

use super::Examiner;
use crate::shell::path;
use crate::shell::value::Value;

/// Where output may go: nowhere, or where it would have gone.
const SINKS: [&str; 3] = ["/dev/null", "/dev/stdout", "/dev/stderr"];

/// Whether a redirect gives a command something to read.
pub(super) fn feeds(redirect: &ast::IoRedirect) -> bool {
    match redirect {
        ast::IoRedirect::HereDocument(..) | ast::IoRedirect::HereString(..) => true,
        ast::IoRedirect::OutputAndError(..) => false,
        ast::IoRedirect::File(_, kind, _) => match kind {
            ast::IoFileRedirectKind::Read
            | ast::IoFileRedirectKind::ReadAndWrite
            | ast::IoFileRedirectKind::DuplicateInput => true,
            ast::IoFileRedirectKind::Write
            | ast::IoFileRedirectKind::Append
            | ast::IoFileRedirectKind::Clobber
            | ast::IoFileRedirectKind::DuplicateOutput => false,
        },
    }
}

impl Examiner<'_> {
    pub(super) fn redirects(&mut self, list: Option<&ast::RedirectList>) {
        list.iter().flat_map(|list| &list.0).for_each(|redirect| self.redirect(redirect));
    }

    pub(super) fn redirect(&mut self, redirect: &ast::IoRedirect) {
        match redirect {
            ast::IoRedirect::File(_, kind, target) => self.file_redirect(kind, target),
            ast::IoRedirect::OutputAndError(word, _) => self.written(&word.value),
            ast::IoRedirect::HereString(_, word) => drop(self.word(&word.value)),
            ast::IoRedirect::HereDocument(_, document) => {
                if document.requires_expansion {
                    self.body(&document.doc.value);
                }
            }
        }
    }

    fn file_redirect(
        &mut self,
        kind: &ast::IoFileRedirectKind,
        target: &ast::IoFileRedirectTarget,
    ) {
        match target {
            ast::IoFileRedirectTarget::Fd(_) => {}
            ast::IoFileRedirectTarget::Duplicate(word) => self.duplicated(&word.value),
            ast::IoFileRedirectTarget::ProcessSubstitution(side, shell) => {
                self.process(side, shell);
            }
            ast::IoFileRedirectTarget::Filename(word) => match kind {
                ast::IoFileRedirectKind::Read => self.read_from(&word.value),
                ast::IoFileRedirectKind::Write
                | ast::IoFileRedirectKind::Append
                | ast::IoFileRedirectKind::Clobber
                | ast::IoFileRedirectKind::ReadAndWrite
                | ast::IoFileRedirectKind::DuplicateInput
                | ast::IoFileRedirectKind::DuplicateOutput => self.written(&word.value),
            },
        }
    }

    /// A process substitution: what it reads is a pipe. Returns the word it stands for.
    pub(super) fn process(
        &mut self,
        side: &ast::ProcessSubstitutionKind,
        shell: &ast::SubshellCommand,
    ) -> Value {
        self.apart(|this| this.list(&shell.list));
        match side {
            ast::ProcessSubstitutionKind::Read => {}
            ast::ProcessSubstitutionKind::Write => {
                self.deny("a process substitution that is written to")
            }
        }
        Value::text("/dev/stdin")
    }

    fn single(&mut self, written: &str) -> Option<Value> {
        let mut words = self.words(written);
        if words.len() == 1 { words.pop() } else { None }
    }

    /// `2>&1`, `2>&-`: another descriptor. Anything else is a file.
    fn duplicated(&mut self, written: &str) {
        let value = self.single(written);
        let target = value.as_ref().and_then(Value::exact).unwrap_or("");
        let number = target.strip_suffix('-').unwrap_or(target);
        if target.is_empty() || !number.chars().all(|one| one.is_ascii_digit()) {
            self.deny(format!("the redirect to `{written}` writes a file"));
        }
    }

    fn read_from(&mut self, written: &str) {
        match self.single(written) {
            Some(value) if !value.unknown => self.reads(&value),
            Some(_) | None => self.deny(format!("nobody knows which file `{written}` is")),
        }
    }

    fn written(&mut self, written: &str) {
        let value = self.single(written);
        let target = value.as_ref().and_then(Value::exact).unwrap_or("");
        if !SINKS.contains(&target) {
            self.deny(format!("the redirect to `{written}` writes a file"));
        }
    }

    /// A path that is read.
    pub(in crate::shell) fn reads(&mut self, value: &Value) {
        for sample in &value.samples {
            match path::leaves(sample, self.grants.workspace()) {
                Some(reason) => self.deny(reason),
                None => drop(self.found.paths.insert(path::shown(sample, self.grants.workspace()))),
            }
        }
    }

    /// A path that a granted tool changes.
    pub(in crate::shell) fn writes(&mut self, value: &Value) {
        self.reads(value);
        for sample in &value.samples {
            if let Some(reason) = path::guarded(sample, self.grants.workspace()) {
                self.deny(format!("it would change {reason}"));
            }
        }
    }
}
