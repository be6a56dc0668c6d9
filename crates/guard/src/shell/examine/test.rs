//! `[[ … ]]`, `[` and `test`: they ask, but some of their questions evaluate text.

use brush_parser::ast::{BinaryPredicate, ExtendedTestExpr, UnaryPredicate};

use super::Examiner;
use crate::shell::value::Value;

/// Questions of `[` about a file.
const ABOUT_FILES: &str = "abcdefghkprsuwxGLNOS";

impl Examiner<'_> {
    pub(super) fn extended_test(&mut self, expr: &ExtendedTestExpr) {
        match expr {
            ExtendedTestExpr::And(left, right) | ExtendedTestExpr::Or(left, right) => {
                self.extended_test(left);
                self.extended_test(right);
            }
            ExtendedTestExpr::Not(inner) | ExtendedTestExpr::Parenthesized(inner) => {
                self.extended_test(inner);
            }
            ExtendedTestExpr::UnaryTest(predicate, word) => self.unary(predicate, &word.value),
            ExtendedTestExpr::BinaryTest(predicate, left, right) => {
                let values = [self.word(&left.value), self.word(&right.value)];
                self.binary(predicate, &values);
            }
        }
    }

    fn unary(&mut self, predicate: &UnaryPredicate, written: &str) {
        let value = self.word(written);
        match predicate {
            UnaryPredicate::StringHasZeroLength
            | UnaryPredicate::StringHasNonZeroLength
            | UnaryPredicate::FdIsOpenTerminal
            | UnaryPredicate::ShellOptionEnabled => {}
            UnaryPredicate::ShellVariableIsSetAndAssigned
            | UnaryPredicate::ShellVariableIsSetAndNameRef => {
                self.deny("a test that evaluates the name of a variable");
            }
            UnaryPredicate::FileExists
            | UnaryPredicate::FileExistsAndIsBlockSpecialFile
            | UnaryPredicate::FileExistsAndIsCharSpecialFile
            | UnaryPredicate::FileExistsAndIsDir
            | UnaryPredicate::FileExistsAndIsRegularFile
            | UnaryPredicate::FileExistsAndIsSetgid
            | UnaryPredicate::FileExistsAndIsSymlink
            | UnaryPredicate::FileExistsAndHasStickyBit
            | UnaryPredicate::FileExistsAndIsFifo
            | UnaryPredicate::FileExistsAndIsReadable
            | UnaryPredicate::FileExistsAndIsNotZeroLength
            | UnaryPredicate::FileExistsAndIsSetuid
            | UnaryPredicate::FileExistsAndIsWritable
            | UnaryPredicate::FileExistsAndIsExecutable
            | UnaryPredicate::FileExistsAndOwnedByEffectiveGroupId
            | UnaryPredicate::FileExistsAndModifiedSinceLastRead
            | UnaryPredicate::FileExistsAndOwnedByEffectiveUserId
            | UnaryPredicate::FileExistsAndIsSocket => self.asks_about(&value),
        }
    }

    fn binary(&mut self, predicate: &BinaryPredicate, values: &[Value]) {
        match predicate {
            BinaryPredicate::StringExactlyMatchesPattern
            | BinaryPredicate::StringDoesNotExactlyMatchPattern
            | BinaryPredicate::StringExactlyMatchesString
            | BinaryPredicate::StringDoesNotExactlyMatchString
            | BinaryPredicate::LeftSortsBeforeRight
            | BinaryPredicate::LeftSortsAfterRight => {}
            // Bash reads the words of an expression by rules of their own.
            BinaryPredicate::StringMatchesRegex | BinaryPredicate::StringContainsSubstring => {
                self.deny("a regular expression in `[[`");
            }
            BinaryPredicate::FilesReferToSameDeviceAndInodeNumbers
            | BinaryPredicate::LeftFileIsNewerOrExistsWhenRightDoesNot
            | BinaryPredicate::LeftFileIsOlderOrDoesNotExistWhenRightDoes => {
                values.iter().for_each(|value| self.asks_about(value));
            }
            BinaryPredicate::ArithmeticEqualTo
            | BinaryPredicate::ArithmeticNotEqualTo
            | BinaryPredicate::ArithmeticLessThan
            | BinaryPredicate::ArithmeticLessThanOrEqualTo
            | BinaryPredicate::ArithmeticGreaterThan
            | BinaryPredicate::ArithmeticGreaterThanOrEqualTo => {
                if !values.iter().all(is_number) {
                    self.deny("a comparison of numbers evaluates text that is none");
                }
            }
        }
    }

    /// Whether a file is there is already something to know about it.
    fn asks_about(&mut self, value: &Value) {
        if value.unknown {
            return self.deny(format!("nobody knows which file `{}` is", value.shown()));
        }
        self.reads(value);
    }

    /// `[ … ]` and `test …`, without their own name.
    pub(in crate::shell) fn test_command(&mut self, arguments: &[Value]) {
        if arguments.iter().any(|value| value.splits) {
            return self.deny("a test whose words are not known");
        }
        for (index, value) in arguments.iter().enumerate() {
            let Some(next) = arguments.get(index + 1) else { break };
            let question = value.exact().unwrap_or("");
            match question.strip_prefix('-') {
                Some("v" | "R") => self.deny("a test that evaluates the name of a variable"),
                Some("nt" | "ot" | "ef") => {
                    index
                        .checked_sub(1)
                        .and_then(|left| arguments.get(left))
                        .into_iter()
                        .for_each(|left| self.asks_about(left));
                    self.asks_about(next);
                }
                Some(letter) if letter.len() == 1 && ABOUT_FILES.contains(letter) => {
                    let joins = matches!(letter, "a" | "o") && index > 0;
                    if !joins {
                        self.asks_about(next);
                    }
                }
                Some(_) | None => {}
            }
        }
        // Two words, the first of them unknown: it may be any question about the second.
        if let [before @ .., question, _] = arguments {
            let begins = before
                .last()
                .is_none_or(|value| matches!(value.exact(), Some("!" | "(" | "-a" | "-o")));
            if question.unknown && begins {
                self.deny("a test whose question is not known");
            }
        }
    }
}

/// Digits, or something that is certainly a number.
fn is_number(value: &Value) -> bool {
    let digits = |sample: &String| {
        let digits = sample.strip_prefix('-').unwrap_or(sample);
        !digits.is_empty() && digits.chars().all(|one| one.is_ascii_digit())
    };
    !value.unknown && value.samples.iter().all(digits)
}
