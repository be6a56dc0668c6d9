//! From tokens to bash's grammar.
//!
//! The tokens are ours and the grammar is brush's. Brush reads the text once more with its
//! own tokenizer; where the two do not see the same words, nothing is understood. (Brush
//! takes `\$'…'` for one quoted word, for instance, which would hide a command from us.)

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use brush_parser::ast::Program;
use brush_parser::{ParserOptions, SourcePosition, SourceSpan, Token as Theirs};
use brush_parser::{parse_tokens, uncached_tokenize_str};

use super::lex::{Kind, Token};
use super::refusal::{Read, Refusal, refuse};

/// The program that the tokens of a text make.
pub(super) fn parse(command: &str, tokens: &[Token]) -> Read<Program> {
    let options = ParserOptions { enable_extended_globbing: false, ..ParserOptions::default() };
    let ours = tokens.iter().map(convert).collect::<Vec<_>>();
    // The parser is somebody else's and meets any text: a panic in it is one more way of
    // not understanding.
    let parsed = catch_unwind(AssertUnwindSafe(|| {
        let theirs = uncached_tokenize_str(command, &options.tokenizer_options());
        let theirs = theirs.map_err(|error| Refusal(format!("not understood: {error}")))?;
        if !agree(&ours, &theirs) {
            return refuse("two readings of these quotes differ");
        }
        parse_tokens(&ours, &options).map_err(|error| Refusal(format!("not understood: {error}")))
    }));
    parsed.unwrap_or_else(|_| refuse("not understood: the parser gave up"))
}

fn convert(token: &Token) -> Theirs {
    let at = |index| Arc::new(SourcePosition { index, line: 1, column: index + 1 });
    let span = SourceSpan { start: at(token.start), end: at(token.end) };
    match token.kind {
        Kind::Operator => Theirs::Operator(token.text.clone(), span),
        Kind::Word => Theirs::Word(without_continuations(&token.text), span),
        Kind::Body => Theirs::Word(token.text.clone(), span),
    }
}

/// Keywords are told by their text, so a continuation inside of one has to go. In single
/// quotes it stays, and such a word is no keyword.
fn without_continuations(word: &str) -> String {
    if word.contains(['\'', '"', '`', '$']) { word.to_owned() } else { word.replace("\\\n", "") }
}

/// Whether two tokenizers saw the same tokens. Blanks are not compared: inside of a
/// substitution one of them keeps them as written, the other joins its own tokens.
fn agree(ours: &[Theirs], theirs: &[Theirs]) -> bool {
    let same = |(our, their): (&Theirs, &Theirs)| {
        let kind = matches!(our, Theirs::Operator(..)) == matches!(their, Theirs::Operator(..));
        kind && visible(our.to_str()).eq(visible(their.to_str()))
    };
    ours.len() == theirs.len() && ours.iter().zip(theirs).all(same)
}

fn visible(text: &str) -> impl Iterator<Item = char> + '_ {
    let mut rest = text.chars().peekable();
    std::iter::from_fn(move || {
        loop {
            match rest.next()? {
                '\\' if rest.peek() == Some(&'\n') => {}
                one if one.is_whitespace() => {}
                one => return Some(one),
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use super::super::lex::tokens;
    use super::*;

    fn check(command: &str) -> Read<Program> {
        parse(command, &tokens(command)?)
    }

    #[test]
    fn usual_commands_are_understood() {
        let good = [
            "ls -la | wc -l && echo 'a b' \"c $(d) $x\" 2>&1 >/dev/null; pwd &",
            "for f in *.txt; do wc -l \"$f\"; done",
            "if [ -f a ]; then cat a; elif b; then c; else d; fi",
            "while read -r l; do echo \"$l\"; done < f",
            "case $x in a|b) c;; *) d;; esac",
            "cat <<EOF\na $x\nEOF",
            "cat <<'EOF' | wc -l\na\nEOF\n",
            "cat <<-A <<B\n\tx\n\tA\ny\nB\nls",
            "git commit -m \"$(cat <<'EOF'\nit's \"done\"\n\n- a) b\nEOF\n)\"",
            "cargo test \\\n  --workspace",
            "diff <(sort a) <(sort b)",
            "{ ls; pwd; }\n( ls )",
            "[[ -f a && $x == b* ]] && ls",
            "! true # a 'comment",
            "echo $((1 + 2)) ${x%.txt} `pwd`",
        ];
        for good in good {
            assert!(check(good).is_ok(), "{good:?}: {:?}", check(good).err());
        }
    }

    #[test]
    fn two_readings_that_differ_are_refused() {
        for bad in
            [r"echo \$'\' ; rm x #'", "ls |", "if true", "echo )", "select x in a; do b; done"]
        {
            assert!(check(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_panic_of_the_parser_is_a_refusal() {
        // The lexer refuses such a number; the parser alone would panic on it.
        assert!(check("ls 99999999999>&1").is_err());
        let mut tokens = tokens("ls 1>&2").unwrap();
        tokens[1].text = "99999999999".to_owned();
        assert!(parse("ls 99999999999>&2", &tokens).is_err());
    }
}
