//! International bank account numbers: ISO 13616, with the lengths of its registry.

/// Length of a country's IBAN, as in the registry of SWIFT.
const LENGTHS: &str = "\
    AD24 AE23 AL28 AT20 AZ28 BA20 BE16 BG22 BH22 BI27 BR29 BY28 CH21 CR22 CY28 \
    CZ24 DE22 DJ27 DK18 DO28 EE20 EG29 ES24 FI18 FK18 FO18 FR27 GB22 GE22 GI23 \
    GL18 GR27 GT28 HN28 HR21 HU28 IE22 IL23 IQ23 IS26 IT27 JO30 KW30 KZ20 LB28 \
    LC32 LI21 LT20 LU20 LV21 LY25 MC27 MD24 ME22 MK19 MN20 MR27 MT31 MU30 NI28 \
    NL18 NO15 OM23 PK24 PL28 PS29 PT25 QA29 RO24 RS22 RU33 SA24 SC31 SD18 SE24 \
    SI19 SK24 SM27 SO23 ST25 SV28 TL23 TN24 TR26 UA29 VA22 VG24 XK20 YE30";

/// Countries whose accounts have digits only; hexadecimal text often begins like theirs.
const NUMERIC: &str = "AT BA BE CZ DE DK EE ES FI FO GL HR HU IL IS LT ME NO PL PT RS SE SI SK XK";

/// Letters and digits of the longest IBAN.
pub(crate) const CHARACTERS_MAX: usize = 34;

/// How many letters and digits an IBAN of this country has.
pub(crate) fn length(country: &str) -> Option<usize> {
    let country = country.to_ascii_uppercase();
    LENGTHS.split(' ').find_map(|entry| entry.strip_prefix(&country)?.parse().ok())
}

/// Whether letters and digits without spaces are an IBAN: length of its country and the
/// remainder of ISO 7064, MOD 97-10.
pub(crate) fn is_iban(text: &str) -> bool {
    let (Some(country), Some(account)) = (text.get(..2), text.get(4..)) else { return false };
    let digits = !NUMERIC.contains(country) || account.bytes().all(|b| b.is_ascii_digit());
    length(country) == Some(text.len()) && digits && mod_97(account, &text[..4]) == Some(1)
}

fn mod_97(account: &str, head: &str) -> Option<u32> {
    account.chars().chain(head.chars()).try_fold(0, |rest, character| {
        let value = character.to_digit(36)?;
        Some(if value < 10 { rest * 10 + value } else { rest * 100 + value } % 97)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn examples_of_the_registry_pass() {
        for right in ["DE89370400440532013000", "GB82WEST12345698765432", "NO9386011117947"] {
            assert!(is_iban(right), "{right}");
        }
        for wrong in
            ["BE536FAF1F9DD36D", "DE89370400440532013001", "DE8937040044053201300", "ZZ00", "é"]
        {
            assert!(!is_iban(wrong), "{wrong}");
        }
    }
}
