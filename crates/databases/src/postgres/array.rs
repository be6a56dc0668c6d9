//! PostgreSQL's text form of arrays: `{1,NULL,"a \"b\"",{2}}`, with bounds before it if they
//! do not begin at one.

use serde_json::Value;

/// Levels of arrays in arrays; PostgreSQL has six.
const DEPTH_MAX: usize = 8;

/// The array, each item shaped by `shape`. `None` if the text is no array.
pub(super) fn read(text: &str, shape: &dyn Fn(&str) -> Value) -> Option<Value> {
    let body = match text.starts_with('[') {
        true => text.split_once('=')?.1,
        false => text,
    };
    let mut rest = body;
    let array = items(&mut rest, shape, DEPTH_MAX)?;
    rest.is_empty().then_some(array)
}

fn items(rest: &mut &str, shape: &dyn Fn(&str) -> Value, depth: usize) -> Option<Value> {
    *rest = rest.strip_prefix('{')?;
    let mut found = Vec::new();
    if let Some(after) = rest.strip_prefix('}') {
        *rest = after;
        return Some(Value::Array(found));
    }
    loop {
        found.push(match rest.chars().next()? {
            '{' => items(rest, shape, depth.checked_sub(1)?)?,
            '"' => shape(&quoted(rest)?),
            _ => bare(rest, shape)?,
        });
        let (next, after) = rest.split_at_checked(1)?;
        *rest = after;
        match next {
            "," => {}
            "}" => return Some(Value::Array(found)),
            _ => return None,
        }
    }
}

fn bare(rest: &mut &str, shape: &dyn Fn(&str) -> Value) -> Option<Value> {
    let (item, after) = rest.split_at(rest.find([',', '}'])?);
    *rest = after;
    Some(if item == "NULL" { Value::Null } else { shape(item) })
}

fn quoted(rest: &mut &str) -> Option<String> {
    let (mut item, mut letters) = (String::new(), rest.char_indices().skip(1));
    while let Some((at, letter)) = letters.next() {
        match letter {
            '"' => {
                *rest = &rest[at + 1..];
                return Some(item);
            }
            '\\' => item.push(letters.next()?.1),
            letter => item.push(letter),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::read;

    #[test]
    fn arrays_are_read_as_they_are_written() {
        for (text, expected) in [
            ("{}", Some(json!([]))),
            ("{a,NULL,\"NULL\",\"\"}", Some(json!(["a", null, "NULL", ""]))),
            (r#"{"a \"b\" \\ {,}"}"#, Some(json!(["a \"b\" \\ {,}"]))),
            ("{{a,b},{c,NULL}}", Some(json!([["a", "b"], ["c", null]]))),
            ("[0:1]={a,b}", Some(json!(["a", "b"]))),
            ("{é,\"ü\"}", Some(json!(["é", "ü"]))),
            ("{a", None),
            ("{a}b", None),
            ("{\"a}", None),
            ("{{{{{{{{{{a}}}}}}}}}}", None),
            ("", None),
        ] {
            assert_eq!(read(text, &|item| Value::from(item)), expected, "{text}");
        }
    }
}
