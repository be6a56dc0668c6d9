//! Keys as callers hold them: `wl_<16 digits>_<64 digits>`, hexadecimal. The first part
//! finds the key, the second proves it; only a hash of the whole is kept.

use kernel::units::ContentHash;
use ring::rand::{SecureRandom, SystemRandom};

/// What every key begins with, so that scanners for leaked secrets find it.
const BEGINNING: &str = "wl_";

/// Digits of the part that finds a key.
const ID_DIGITS: usize = 16;

/// Digits of the part that proves it: 256 bits of chance.
const SECRET_DIGITS: usize = 64;

/// Put before a key when it is hashed, so that the hash is good for nothing else.
const CONTEXT: &str = "windlass api key\0";

/// A key that was just made. It is shown once and kept nowhere.
pub struct NewKey {
    /// The whole key, for its caller.
    pub text: String,
    /// Its public half.
    pub id: String,
    /// What is kept of it.
    pub hash: ContentHash,
}

/// Makes a key from the machine's chance.
///
/// # Errors
/// The machine gives no chance.
pub fn make() -> Result<NewKey, std::io::Error> {
    let mut bytes = [0_u8; (ID_DIGITS + SECRET_DIGITS) / 2];
    SystemRandom::new()
        .fill(&mut bytes)
        .map_err(|_| std::io::Error::other("the machine gives no random numbers"))?;
    let digits: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    let (id, secret) = digits.split_at(ID_DIGITS);
    let text = format!("{BEGINNING}{id}_{secret}");
    Ok(NewKey { id: id.to_owned(), hash: hash(&text), text })
}

/// The part of a key that finds it, where the text has the form of one.
pub(crate) fn id(text: &str) -> Option<&str> {
    let (id, secret) = text.strip_prefix(BEGINNING)?.split_once('_')?;
    let digits = |part: &str, count| {
        part.len() == count && part.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
    };
    (digits(id, ID_DIGITS) && digits(secret, SECRET_DIGITS)).then_some(id)
}

/// What is kept of a key. A hash made for speed is right here: nobody guesses 256 bits.
pub(crate) fn hash(text: &str) -> ContentHash {
    ContentHash::of(format!("{CONTEXT}{text}").as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_found_by_its_first_part() {
        let (one, two) = (make().unwrap(), make().unwrap());
        assert_eq!(id(&one.text), Some(one.id.as_str()));
        assert_eq!(hash(&one.text), one.hash);
        assert_ne!((one.id, one.hash), (two.id, two.hash));
    }

    #[test]
    fn l29_what_is_no_key_is_never_looked_up() {
        let key = make().unwrap().text;
        let wrong = [
            String::new(),
            "wl_".to_owned(),
            key.to_uppercase(),
            key[..key.len() - 1].to_owned(),
            format!("{key}0"),
            key.replacen("wl_", "sk_", 1),
            key.replacen('_', "-", 2),
            format!("wl_' OR 1=1 --_{}", "0".repeat(64)),
            format!("wl_{}_{}", "é".repeat(8), "0".repeat(64)),
        ];
        for text in wrong {
            assert_eq!(id(&text), None, "{text}");
        }
    }
}
