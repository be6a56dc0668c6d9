//! `sed` scripts: commands are read one after the other. Those that write, read a file, or
//! run something are harm, and so is what is not understood.

/// Commands without arguments.
const PLAIN: &str = "=dDgGhHnNpPxzF";
/// Flags of `s` that only say where.
const FLAGS: &str = "gpiImM0123456789";

/// What harm a script does.
pub(in crate::shell) fn harm(script: &str) -> Option<String> {
    let text = script.chars().collect::<Vec<_>>();
    let mut reader = Reader { text: &text, at: 0 };
    reader.script().err()
}

struct Reader<'a> {
    text: &'a [char],
    at: usize,
}

impl Reader<'_> {
    fn peek(&self) -> Option<char> {
        self.text.get(self.at).copied()
    }

    fn next(&mut self) -> Option<char> {
        let one = self.peek()?;
        self.at += 1;
        Some(one)
    }

    fn skip(&mut self, wanted: impl Fn(char) -> bool) {
        while self.peek().is_some_and(&wanted) {
            self.at += 1;
        }
    }

    fn script(&mut self) -> Result<(), String> {
        loop {
            self.skip(|one| one.is_ascii_whitespace() || one == ';' || one == '{' || one == '}');
            if self.peek().is_none() {
                return Ok(());
            }
            self.addresses()?;
            self.skip(|one| one == ' ' || one == '\t' || one == '!');
            self.command()?;
        }
    }

    fn addresses(&mut self) -> Result<(), String> {
        self.address()?;
        self.skip(|one| one == ' ' || one == '\t');
        if self.peek() == Some(',') {
            self.at += 1;
            self.skip(|one| one == ' ' || one == '\t');
            self.address()?;
        }
        Ok(())
    }

    fn address(&mut self) -> Result<(), String> {
        match self.peek() {
            Some('/') => {
                self.at += 1;
                self.pattern('/')?;
                self.skip(|one| one == 'I' || one == 'M');
            }
            Some('\\') => {
                self.at += 1;
                let end = self.next().filter(|one| one.is_ascii_punctuation() && *one != '\\');
                self.pattern(end.ok_or("has an address that is not understood")?)?;
                self.skip(|one| one == 'I' || one == 'M');
            }
            _ => self.skip(|one| one.is_ascii_digit() || one == '$' || one == '~' || one == '+'),
        }
        Ok(())
    }

    /// To the delimiter. One inside of a bracket is refused: there, implementations differ.
    fn pattern(&mut self, end: char) -> Result<(), String> {
        let mut bracket = false;
        while let Some(one) = self.next() {
            match one {
                '\\' => drop(self.next()),
                _ if one == end && bracket => {
                    return Err("has its delimiter in a bracket".to_owned());
                }
                _ if one == end => return Ok(()),
                '\n' => return Err("breaks a line in a pattern".to_owned()),
                '[' => {
                    bracket = true;
                    self.skip(|one| one == '^');
                    if self.peek() == Some(']') {
                        self.at += 1;
                    }
                }
                ']' => bracket = false,
                _ => {}
            }
        }
        Err("is not closed".to_owned())
    }

    /// The replacement and the second half of `y`: no brackets, lines only when escaped.
    fn replacement(&mut self, end: char) -> Result<(), String> {
        while let Some(one) = self.next() {
            match one {
                '\\' => drop(self.next()),
                '\n' => return Err("breaks a line in a replacement".to_owned()),
                _ if one == end => return Ok(()),
                _ => {}
            }
        }
        Err("is not closed".to_owned())
    }

    fn command(&mut self) -> Result<(), String> {
        match self.next() {
            None => Err("ends with an address".to_owned()),
            Some('{' | '}') => Ok(()),
            Some('#') => {
                self.skip(|one| one != '\n');
                Ok(())
            }
            Some('s') => self.substitute(),
            Some('y') => {
                let end = self.delimiter()?;
                self.replacement(end)?;
                self.replacement(end)?;
                self.end()
            }
            Some('a' | 'i' | 'c') => {
                self.text_to_add();
                Ok(())
            }
            Some('q' | 'Q' | 'l') => {
                self.skip(|one| one.is_ascii_digit() || one == ' ');
                self.end()
            }
            Some(':' | 'b' | 't' | 'T') => {
                self.skip(|one| one.is_ascii_alphanumeric() || one == '_' || one == ' ');
                self.end()
            }
            Some(one) if PLAIN.contains(one) => self.end(),
            Some('w' | 'W') => Err("writes a file".to_owned()),
            Some('r' | 'R') => Err("reads another file".to_owned()),
            Some('e') => Err("runs a command".to_owned()),
            Some(one) => Err(format!("has the command {one:?}, which is not understood")),
        }
    }

    fn delimiter(&mut self) -> Result<char, String> {
        let plain = |one: &char| one.is_ascii_punctuation() && *one != '\\' && *one != '[';
        self.next().filter(plain).ok_or_else(|| "has a delimiter that is not understood".to_owned())
    }

    fn substitute(&mut self) -> Result<(), String> {
        let end = self.delimiter()?;
        self.pattern(end)?;
        self.replacement(end)?;
        self.skip(|one| FLAGS.contains(one));
        match self.peek() {
            Some('e') => Err("runs a command".to_owned()),
            Some('w') => Err("writes a file".to_owned()),
            _ => self.end(),
        }
    }

    /// Text of `a`, `i` and `c`: to the end of a line that is not continued.
    fn text_to_add(&mut self) {
        while let Some(one) = self.next() {
            match one {
                '\\' => drop(self.next()),
                '\n' => return,
                _ => {}
            }
        }
    }

    fn end(&mut self) -> Result<(), String> {
        self.skip(|one| one == ' ' || one == '\t');
        match self.peek() {
            None | Some(';' | '\n' | '}' | '#') => Ok(()),
            Some(one) => Err(format!("goes on with {one:?}, which is not understood")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn printing_and_replacing_is_harmless() {
        let good = [
            "1,20p",
            "s/a/b/g",
            "s|/usr|/opt|",
            "/foo/,/bar/d",
            "$!N;s/\\n/ /",
            "10q",
            "/^#/d;s/x/y/",
            "s/\\//-/g",
            "y/abc/ABC/",
            "/a/{s/b/c/;p}",
            "2~3d",
            "1!G;h;$!d",
            "s/[^a-z]//g",
            "a hello",
            ":a;N;$!ba;s/\\n/,/g",
            "/x/I p",
            "5,+3p",
            "\\,a,p",
        ];
        for good in good {
            assert_eq!(harm(good), None, "{good}");
        }
    }

    #[test]
    fn writing_and_running_is_harm() {
        let bad = [
            "w out",
            "1w out",
            "s/a/b/w out",
            "s/a/id/e",
            "1e id",
            "e",
            "r /etc/passwd",
            "R x",
            "W x",
            "s/a/b/ge",
            "s/a/b/gw x",
            "p;w x",
            "{w x\n}",
            "s/[/]/x/w y",
            "/a/e",
            "a\\\nx\ne id",
            "}e",
            "1!e id",
            "s/a\n/b/",
            "v",
            "s/a/b",
            "$!{e id\n}",
            "y/a/b/e",
        ];
        for bad in bad {
            assert!(harm(bad).is_some(), "{bad}");
        }
    }
}
