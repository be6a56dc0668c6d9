//! `awk` programs. Words that run, read or load something are harm wherever they stand;
//! pipes and redirects are harm outside of strings and regular expressions.

/// Words that reach out of the input. Not even in a string: nobody needs them there.
const REACHING: [&str; 10] = [
    "system", "getline", "ENVIRON", "PROCINFO", "ARGV", "ARGC", "SYMTAB", "FUNCTAB", "BINMODE",
    "fflush",
];
/// Words behind which an operand stands, so that a slash begins a regular expression.
const OPERAND_FOLLOWS: [&str; 7] = ["print", "printf", "return", "in", "else", "do", "case"];

/// What harm a program does.
pub(in crate::shell) fn harm(program: &str) -> Option<String> {
    let is_word = |one: char| one.is_ascii_alphanumeric() || one == '_';
    let reaching = program.split(|one| !is_word(one)).find(|word| REACHING.contains(word));
    if let Some(word) = reaching {
        return Some(format!("uses `{word}`"));
    }
    if program.contains("\\\n") {
        return Some("continues a line".to_owned());
    }
    let text = program.chars().collect::<Vec<_>>();
    Reader { text: &text, at: 0, before: Before::Operator, printing: None, open: 0 }.read().err()
}

/// What stands before the place that is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Before {
    /// Something behind which an operand stands.
    Operator,
    /// An operand that is certainly one.
    Operand,
    /// A closing bracket: the end of an operand, or of a condition.
    Closing,
}

struct Reader<'a> {
    text: &'a [char],
    at: usize,
    before: Before,
    /// Inside of `print`, and how many brackets were open when it began.
    printing: Option<usize>,
    open: usize,
}

impl Reader<'_> {
    fn read(mut self) -> Result<(), String> {
        while let Some(one) = self.text.get(self.at).copied() {
            self.at += 1;
            match one {
                '"' => self.quoted('"')?,
                '/' => self.slash()?,
                '#' => self.comment(),
                _ if one.is_ascii_alphanumeric() || one == '_' => self.word(),
                _ => self.sign(one)?,
            }
        }
        Ok(())
    }

    fn quoted(&mut self, end: char) -> Result<(), String> {
        while let Some(one) = self.text.get(self.at).copied() {
            self.at += 1;
            match one {
                '\\' => self.at += 1,
                '\n' => return Err("breaks a line in a string".to_owned()),
                _ if one == end => {
                    self.before = Before::Operand;
                    return Ok(());
                }
                _ => {}
            }
        }
        Err("is not closed".to_owned())
    }

    fn slash(&mut self) -> Result<(), String> {
        let rest = &self.text[self.at..];
        match self.before {
            // A slash in a bracket: implementations differ on where the expression ends.
            Before::Operator => {
                let end = rest.iter().position(|one| *one == '/').unwrap_or(rest.len());
                if rest[..end].contains(&'[') && !rest[..end].contains(&']') {
                    return Err("has a slash in a bracket".to_owned());
                }
                self.quoted('/')
            }
            // A division, or an expression behind a condition.
            Before::Closing if rest.contains(&'/') => {
                Err("has slashes that are not understood".to_owned())
            }
            Before::Operand | Before::Closing => {
                self.before = Before::Operator;
                Ok(())
            }
        }
    }

    fn comment(&mut self) {
        while self.text.get(self.at).is_some_and(|one| *one != '\n') {
            self.at += 1;
        }
    }

    fn word(&mut self) {
        let start = self.at - 1;
        while self.text.get(self.at).is_some_and(|one| one.is_ascii_alphanumeric() || *one == '_') {
            self.at += 1;
        }
        let word = self.text[start..self.at].iter().collect::<String>();
        if word == "print" || word == "printf" {
            self.printing = Some(self.open);
        }
        let follows = OPERAND_FOLLOWS.contains(&word.as_str());
        self.before = if follows { Before::Operator } else { Before::Operand };
    }

    fn sign(&mut self, one: char) -> Result<(), String> {
        let next = self.text.get(self.at).copied();
        match one {
            ' ' | '\t' => return Ok(()),
            '|' if next == Some('|') => self.at += 1,
            '|' => return Err("has a pipe".to_owned()),
            '>' if self.printing.is_some_and(|open| open >= self.open) => {
                return Err("writes a file".to_owned());
            }
            '@' => return Err("loads code or calls a function by name".to_owned()),
            '(' | '[' => self.open += 1,
            ')' | ']' => self.open = self.open.saturating_sub(1),
            ';' | '\n' | '}' | '{' => self.printing = None,
            _ => {}
        }
        self.before = match one {
            ')' | ']' => Before::Closing,
            '+' | '-' if next == Some(one) => {
                self.at += 1;
                // `x++ / 2` or `x = ++ /re/`: not understood either way.
                Before::Closing
            }
            _ => Before::Operator,
        };
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn printing_and_counting_is_harmless() {
        let good = [
            "{print $1}",
            "$3 > 100 {print $1}",
            "NR==1 || NR==3",
            "/a|b/ {print}",
            "{s+=$1} END {print s/NR}",
            "BEGIN{FS=\":\"} {print $1 \" > \" $2}",
            "{if ($1 > 2) print $0}",
            "{print ($1 > 2)}",
            "{gsub(/x|y/, \"z\"); print}",
            "!seen[$0]++",
            "{printf \"%s|%d\\n\", $1, $2}",
            "length($0) > 80",
            "$2 ~ /^a/ && $3 !~ /b|c/",
        ];
        for good in good {
            assert_eq!(harm(good), None, "{good}");
        }
    }

    #[test]
    fn running_writing_and_reaching_is_harm() {
        let bad = [
            "BEGIN{system(\"id\")}",
            "{print > \"out\"}",
            "{print $1 >> \"out\"}",
            "{print | \"sh\"}",
            "BEGIN{\"id\" | getline x}",
            "{print |& \"sh\"}",
            "BEGIN{print ENVIRON[\"HOME\"]}",
            "@load \"x\"",
            "BEGIN{while((getline l < \"/etc/passwd\")>0) print l}",
            "{print /\"/ | \"sh\"}",
            "{if (1) /\"/ ; print | \"sh\" /x/}",
            "BEGIN{@f()}",
            "BEGIN{ARGV[1]=\"/etc/passwd\"}",
            "{printf \"x\" > \"/tmp/y\"}",
            "{x = \"a\nb\"}",
            "{print (1) > \"x\"}",
        ];
        for bad in bad {
            assert!(harm(bad).is_some(), "{bad}");
        }
    }
}
