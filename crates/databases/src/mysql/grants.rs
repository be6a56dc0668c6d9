//! Whether an account could do more than read what is listed, by its own grants.
//!
//! A grant that is not understood is a power. Grants are never told in full: MariaDB writes
//! the hash of a password into them.

use std::collections::BTreeSet;

/// What a reader may have: `USAGE` is nothing, the other two read.
const READERS: [&str; 3] = ["USAGE", "SELECT", "SHOW VIEW"];

/// The first power that a reader should not have.
pub(super) fn power(
    grants: &[String],
    tables: &[String],
    database: Option<&str>,
) -> Option<String> {
    let listed: BTreeSet<String> = tables
        .iter()
        .map(|name| match (name.contains('.'), database) {
            (false, Some(database)) => format!("{database}.{name}").to_lowercase(),
            (true, _) | (false, None) => name.to_lowercase(),
        })
        .collect();
    grants.iter().find_map(|grant| one(grant, &listed))
}

fn one(grant: &str, listed: &BTreeSet<String>) -> Option<String> {
    if grant.starts_with("SET DEFAULT ROLE ") {
        return None;
    }
    let Some(rest) = grant.strip_prefix("GRANT ") else {
        return Some("it has a grant of an unknown form".to_owned());
    };
    let Some((privileges, rest)) = split(rest, " ON ") else {
        return Some("it gets privileges through a role, which cannot be looked into".to_owned());
    };
    let Some((object, _)) = split(rest, " TO ") else {
        return Some("it has a grant of an unknown form".to_owned());
    };
    if grant.contains(" WITH GRANT OPTION") {
        return Some("it may pass on its grants".to_owned());
    }
    let privileges = names(privileges);
    if let Some(power) = privileges.iter().find(|name| !READERS.contains(&name.as_str())) {
        return Some(format!("it has {power} on `{}`", plain(object)));
    }
    let object = plain(object);
    let reads = privileges.iter().any(|name| name == "SELECT");
    (reads && !listed.contains(&object.to_lowercase()))
        .then(|| format!("it may read `{object}`, which is more than what is listed"))
}

/// The privileges without the columns that they are for.
fn names(privileges: &str) -> Vec<String> {
    let (mut names, mut name, mut depth) = (Vec::new(), String::new(), 0_u32);
    for letter in privileges.chars() {
        match letter {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            ',' if depth == 0 => names.push(std::mem::take(&mut name)),
            letter if depth == 0 => name.push(letter),
            _ => {}
        }
    }
    names.push(name);
    names.iter().map(|name| name.trim().to_uppercase()).collect()
}

/// At the first `by` that stands outside of quotes.
fn split<'a>(text: &'a str, by: &str) -> Option<(&'a str, &'a str)> {
    let mut quote = None;
    for (at, letter) in text.char_indices() {
        match quote {
            Some(open) if letter == open => quote = None,
            Some(_) => {}
            None if matches!(letter, '`' | '\'' | '"') => quote = Some(letter),
            None if text[at..].starts_with(by) => {
                return Some((&text[..at], &text[at + by.len()..]));
            }
            None => {}
        }
    }
    None
}

/// A name without its quotes. One with a dot or a quote in it becomes something that is
/// not listed, and so more than what is.
fn plain(object: &str) -> String {
    object.trim().replace('`', "")
}

#[cfg(test)]
mod tests {
    use super::power;

    #[test]
    fn a_reader_of_what_is_listed_has_no_power_and_everyone_else_has() {
        let tables = ["shop.orders".to_owned(), "Items".to_owned()];
        for (grant, words) in [
            ("GRANT USAGE ON *.* TO `r`@`%` IDENTIFIED BY PASSWORD '*0F ON x TO'", None),
            ("GRANT SELECT ON `shop`.`orders` TO `r`@`%`", None),
            ("GRANT SELECT (`id`, `a,b`), SHOW VIEW ON `shop`.`items` TO `r`@`%`", None),
            ("SET DEFAULT ROLE `x` FOR `r`@`%`", None),
            ("GRANT SELECT ON *.* TO `r`@`%`", Some("read `*.*`")),
            ("GRANT SELECT ON `shop`.* TO `r`@`%`", Some("read `shop.*`")),
            ("GRANT SELECT ON `shop`.`people` TO `r`@`%`", Some("read `shop.people`")),
            ("GRANT SELECT, INSERT ON `shop`.`orders` TO `r`@`%`", Some("INSERT on")),
            ("GRANT UPDATE (`id`) ON `shop`.`orders` TO `r`@`%`", Some("UPDATE on")),
            ("GRANT FILE ON *.* TO `r`@`%`", Some("FILE on `*.*`")),
            ("GRANT ALL PRIVILEGES ON `shop`.* TO `r`@`%`", Some("ALL PRIVILEGES on")),
            ("GRANT EXECUTE ON FUNCTION `shop`.`f` TO `r`@`%`", Some("EXECUTE on")),
            ("GRANT `reader`@`%` TO `r`@`%`", Some("through a role")),
            ("GRANT PROXY ON ''@'%' TO 'root'@'localhost'", Some("PROXY on")),
            ("GRANT SELECT ON `shop`.`orders` TO `r`@`%` WITH GRANT OPTION", Some("pass on")),
            ("REVOKE SELECT ON *.* FROM `r`@`%`", Some("unknown form")),
        ] {
            let told = power(&[grant.to_owned()], &tables, Some("shop"));
            match words {
                None => assert_eq!(told, None, "{grant}"),
                Some(words) => assert!(told.clone().unwrap().contains(words), "{grant}: {told:?}"),
            }
        }
    }
}
