//! Arguments against a table: which are options, what their values are, which are operands.

use std::collections::BTreeSet;

use crate::shell::examine::Examiner;
use crate::shell::path::{self, ANY};
use crate::shell::table::{Class, Kind, Opt, Place, Spec};
use crate::shell::value::Value;

/// What the arguments were found to be.
#[derive(Debug, Default)]
pub(super) struct Sorted<'a> {
    pub(super) operands: Vec<&'a Value>,
    /// An option took the first operand's place.
    pub(super) replaced: bool,
    /// An entry spelled an option that writes: what is read otherwise is changed.
    pub(super) writing: bool,
    /// The options that were given, by the names of the table.
    pub(super) seen: BTreeSet<String>,
}

/// Where the walk over the arguments stands.
struct Walk<'a> {
    title: &'a str,
    spec: &'a Spec,
    arguments: &'a [Value],
    /// The next argument.
    at: usize,
    /// How many of the arguments an entry spelled.
    spelled: usize,
    sorted: Sorted<'a>,
}

impl Examiner<'_> {
    /// The arguments of a program with a table.
    pub(super) fn arguments(
        &mut self,
        title: &str,
        spec: &Spec,
        arguments: &[Value],
        spelled: usize,
    ) {
        let mut walk = Walk { title, spec, arguments, at: 0, spelled, sorted: Sorted::default() };
        let mut ended = false;
        while let Some(value) = walk.arguments.get(walk.at) {
            walk.at += 1;
            if ended || !self.is_option(&walk, value) {
                ended |= spec.traits.posix;
                walk.sorted.operands.push(value);
            } else if value.exact() == Some("--") {
                ended = true;
            } else {
                self.option(&mut walk, value);
            }
        }
        let sorted = walk.sorted;
        self.operands(title, spec, &sorted);
    }

    /// Whether an argument is read as an option. What could become one is refused.
    fn is_option(&mut self, walk: &Walk<'_>, value: &Value) -> bool {
        let (title, traits) = (walk.title, walk.spec.traits);
        let begins = |sample: &String| sample.starts_with('-') && sample.len() > 1;
        let dashed = value.samples.iter().any(begins);
        if dashed && value.samples.len() > 1 {
            self.deny(format!("a word of `{title}` may become one option or another"));
            return false;
        }
        if dashed {
            // `echo -x` prints what it does not know.
            let short = value.sample().get(..2).unwrap_or("");
            let options = &walk.spec.options;
            let known = options.contains_key(value.sample())
                || matches!(options.get(short), Some(Opt::Never(_)));
            return !traits.anytext || known;
        }
        let none = walk.sorted.operands.is_empty();
        let never = walk.spec.options.values().any(|opt| matches!(opt, Opt::Never(_)));
        if traits.anytext && value.unknown && value.dash && none && never {
            self.deny(format!("what is not known of a word of `{title}` may be an option"));
        }
        let unsafe_glob = value.dash && !value.unknown && !traits.globs && !traits.anytext;
        if unsafe_glob {
            let shown = value.shown();
            self.deny(format!(
                "a file that `{shown}` stands for may be named like an option of `{title}`"
            ));
        }
        false
    }

    fn option<'a>(&mut self, walk: &mut Walk<'a>, value: &'a Value) {
        let text = value.sample();
        // What follows a letter is its value, or the next word is: not known which.
        if value.unknown && (value.splits || !text.contains('=')) {
            return self.deny(format!("nobody knows what `{}` would be", value.shown()));
        }
        let digits = text[1..].chars().all(|one| one.is_ascii_digit());
        if walk.spec.traits.numbers && digits {
            return;
        }
        if value.many && !text.contains('=') {
            return self.deny(format!("the pattern `{}` may become several words", value.shown()));
        }
        // Whole words first: options with one dash and more letters, in whatever style.
        let (name, glued) = match text.split_once('=') {
            Some((name, glued)) => (name, Some(glued)),
            None => (text, None),
        };
        match walk.spec.options.get(name) {
            Some(opt) => self.apply(walk, value, name, *opt, glued),
            None if text.starts_with("--") || walk.spec.traits.single => {
                self.one_dash(walk, value, name)
            }
            None => self.cluster(walk, value, text),
        }
    }

    /// A word that is no listed option: a glued value of a one-letter one, or unknown.
    fn one_dash<'a>(&mut self, walk: &mut Walk<'a>, value: &'a Value, name: &str) {
        let text = value.sample();
        if !text.starts_with("--") {
            let short = text.get(..2).unwrap_or("");
            if let Some(opt @ (Opt::Value { .. } | Opt::Never(_))) = walk.spec.options.get(short) {
                let glued = text.get(2..).filter(|rest| !rest.is_empty());
                return self.apply(walk, value, short, *opt, glued);
            }
        }
        self.deny(format!("`{}` is not an option that `{}` may be given", shown(name), walk.title));
    }

    /// `-xzf`: letters, the last of which may take a value.
    fn cluster<'a>(&mut self, walk: &mut Walk<'a>, value: &'a Value, text: &str) {
        for (index, letter) in text.char_indices().skip(1) {
            let name = format!("-{letter}");
            let rest = text.get(index + letter.len_utf8()..).filter(|rest| !rest.is_empty());
            match walk.spec.options.get(name.as_str()) {
                Some(Opt::Switch) => self.apply(walk, value, &name, Opt::Switch, None),
                Some(opt) => return self.apply(walk, value, &name, *opt, rest),
                None => {
                    let title = walk.title;
                    return self.deny(format!(
                        "`{}` is not an option that `{title}` may be given",
                        shown(text)
                    ));
                }
            }
        }
    }

    fn apply<'a>(
        &mut self,
        walk: &mut Walk<'a>,
        value: &'a Value,
        name: &str,
        opt: Opt,
        glued: Option<&str>,
    ) {
        walk.sorted.seen.insert(name.to_owned());
        match opt {
            Opt::Switch | Opt::Instead if glued.is_some() => {
                self.deny(format!("`{name}` of `{}` takes no value", walk.title));
            }
            Opt::Switch => {}
            Opt::Instead => walk.sorted.replaced = true,
            Opt::Never(why) => self.never(walk, name, why),
            Opt::Glued(class) => {
                if let Some(glued) = glued {
                    self.value(walk.title, class, &part(value, glued));
                }
            }
            Opt::Value { class, instead } => {
                walk.sorted.replaced |= instead;
                let next = match glued {
                    Some(glued) => Some(part(value, glued)),
                    None => walk.take().cloned(),
                };
                match next {
                    Some(next) if glued.is_none() && may_be_more(walk.spec, class, &next) => {
                        self.deny(format!(
                            "the pattern `{}` may become several words",
                            next.shown()
                        ));
                    }
                    Some(next) => {
                        if glued.is_none() && !instead && !walk.spec.traits.single {
                            self.one_word(walk.title, name, class, &next);
                        }
                        self.value(walk.title, class, &next);
                    }
                    None => self.deny(format!("`{name}` of `{}` has no value", walk.title)),
                }
                if class == Class::Pair {
                    let second = walk.take().cloned().unwrap_or_else(Value::unknown);
                    if second.splits || second.many {
                        self.deny(format!("a value of `{}` is not known", walk.title));
                    }
                }
            }
        }
    }

    /// A second line of defence: where another version of a program takes no value here, the
    /// word that we took for one must do no harm as an option or as an operand.
    fn one_word(&mut self, title: &str, name: &str, class: Class, value: &Value) {
        let text = value.sample();
        let option = text
            .strip_prefix('-')
            .is_some_and(|rest| rest.starts_with(|one: char| !one.is_ascii_digit()));
        let leaves = text.len() > 1 && path::leaves(text, self.grants.workspace()).is_some();
        if option || leaves && class == Class::Text {
            let shown = value.shown();
            self.deny(format!(
                "`{shown}` as a value of `{name}` of `{title}`: glue it to the option"
            ));
        }
    }

    /// An option that is never granted, but where the entry spells that it writes.
    fn never(&mut self, walk: &mut Walk<'_>, name: &str, why: &str) {
        if why == "writes a file" && walk.at <= walk.spelled {
            walk.sorted.writing = true;
        } else {
            self.deny(format!("`{name}` of `{}` {why}", walk.title));
        }
    }

    /// The value of an option: whatever is not known of it, it is one word and no option.
    fn value(&mut self, title: &str, class: Class, value: &Value) {
        if value.splits {
            return self.deny(format!("a value of `{title}` is not known"));
        }
        self.operand(title, class, value);
    }

    /// All operands, each with its class.
    fn operands(&mut self, title: &str, spec: &Spec, sorted: &Sorted<'_>) {
        let skipped = usize::from(sorted.replaced);
        let last = spec.operands.len() - 1;
        for (index, value) in sorted.operands.iter().enumerate() {
            let class = spec.operands[(index + skipped).min(last)];
            let changes = sorted.writing && class == Class::Place(Place::Read);
            let class = if changes { Class::Place(Place::Write) } else { class };
            if value.many && index + skipped < last && !spec.traits.anytext {
                self.deny(format!("the pattern `{}` may become several words", value.shown()));
            }
            let printed = spec.traits.anytext && class == Class::Text;
            if value.splits || value.unknown && !printed {
                self.deny(format!("nobody knows what a word of `{title}` would be"));
                continue;
            }
            self.operand(title, class, value);
        }
        let given = |options: &[&str]| options.iter().any(|option| sorted.seen.contains(*option));
        let code = spec.operands.first() == Some(&Class::Place(Place::File))
            && spec.traits.posix
            && spec.traits.kind == Kind::Runs;
        if code && sorted.operands.is_empty() && !given(&spec.alone) {
            self.deny(format!("`{title}` without a file runs what it is fed"));
        }
        if !spec.needs.is_empty() && !given(&spec.needs) {
            self.deny(format!(
                "`{title}` without one of {} does more than it says",
                spec.needs.join(", ")
            ));
        }
    }
}

impl<'a> Walk<'a> {
    /// The next word as a value.
    fn take(&mut self) -> Option<&'a Value> {
        let next = self.arguments.get(self.at)?;
        self.at += 1;
        Some(next)
    }
}

/// Whether a value may become several words that do harm. The words of an expression with
/// long options are none themselves, as long as none of them can be spelled like an option.
fn may_be_more(spec: &Spec, class: Class, value: &Value) -> bool {
    let like_a_file = value.sample().rsplit(ANY).next().is_some_and(|tail| tail.contains('.'));
    let harmless = spec.traits.single && class == Class::Text && (!value.dash || like_a_file);
    value.many && !harmless
}

/// The part of a word that is a value, with all that is uncertain about the word.
fn part(value: &Value, glued: &str) -> Value {
    let cut = value.sample().len() - glued.len();
    let cut_all = |sample: &String| sample.get(cut..).unwrap_or(sample).to_owned();
    Value { samples: value.samples.iter().map(cut_all).collect(), dash: false, ..value.clone() }
}

fn shown(text: &str) -> String {
    text.replace(ANY, "*")
}
