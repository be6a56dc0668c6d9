//! Numbers that states give to people, each with the arithmetic of its state.
//!
//! A check says whether letters and digits *can* be such a number. Whether it is one also
//! depends on how it is written and on the words beside it: `data/national.json`.

use super::digits::{all_same, is_day, luhn, mod_11_10, number, of, verhoeff, weighed};

/// A check by its name in the data. The text comes without separators, in capitals.
pub(crate) fn named(name: &str) -> Option<fn(&str) -> bool> {
    NAMES.iter().find(|(known, _)| *known == name).map(|(_, check)| *check)
}

type Check = fn(&str) -> bool;

const NAMES: [(&str, Check); 40] = [
    ("any", |_| true),
    ("us_ssn", us_ssn),
    ("uk_nino", uk_nino),
    ("uk_nhs", |text| {
        let digits = of(text);
        digits.len() == 10
            && (11 - weighed(&digits[..9], &[10, 9, 8, 7, 6, 5, 4, 3, 2]) % 11) % 11
                == last(&digits)
    }),
    ("de_steuer_id", de_steuer_id),
    ("de_rvnr", de_rvnr),
    ("nl_bsn", |text| {
        let digits = of(text);
        digits.len() == 9
            && !all_same(&digits)
            && (weighed(&digits, &[9, 8, 7, 6, 5, 4, 3, 2]) + 10 * last(&digits)).is_multiple_of(11)
    }),
    ("fr_nir", fr_nir),
    ("es_dni", |text| es_letter(text)),
    ("es_nie", |text| {
        let first = text.bytes().next().map_or(9, |b| b.wrapping_sub(b'X'));
        first < 3 && es_letter(&format!("{first}{}", &text[1..]))
    }),
    ("it_codice_fiscale", it_codice_fiscale),
    ("pl_pesel", pl_pesel),
    ("in_aadhaar", |text| {
        let digits = of(text);
        digits.len() == 12 && digits[0] > 1 && verhoeff(&digits)
    }),
    ("br_cpf", br_cpf),
    ("ca_sin", |text| {
        let digits = of(text);
        digits.len() == 9 && !matches!(digits[0], 0 | 8) && luhn(&digits)
    }),
    ("be_rrn", be_rrn),
    ("ch_ahv", |text| {
        let digits = of(text);
        digits.len() == 13 && text.starts_with("756") && (weighed(&digits, &EAN)).is_multiple_of(10)
    }),
    ("se_personnummer", |text| {
        let digits = of(text);
        let digits = &digits[digits.len().saturating_sub(10)..];
        digits.len() == 10 && luhn(digits) && month_day(&digits[2..6], &[0, 60])
    }),
    ("fi_hetu", fi_hetu),
    ("dk_cpr", |text| {
        let digits = of(text);
        digits.len() == 10 && is_day(number(&digits[2..4]), number(&digits[..2]))
    }),
    ("no_fnr", no_fnr),
    ("at_svnr", |text| {
        let digits = of(text);
        digits.len() == 10
            && weighed(&digits, &[3, 7, 9, 0, 5, 8, 4, 2, 1, 6]) % 11 == u32::from(digits[3])
    }),
    ("pt_nif", |text| {
        let digits = of(text);
        let rest = 11 - weighed(&digits, &[9, 8, 7, 6, 5, 4, 3, 2]) % 11;
        digits.len() == 9 && last(&digits) == if rest > 9 { 0 } else { rest }
    }),
    ("cz_rc", |text| {
        let digits = of(text);
        digits.len() == 10
            && number(&digits).is_multiple_of(11)
            && month_day(&digits[2..6], &[0, 20, 50, 70])
    }),
    ("kr_rrn", |text| {
        let digits = of(text);
        digits.len() == 13 && (1..=8).contains(&digits[6]) && month_day(&digits[2..6], &[0])
    }),
    ("cn_id", cn_id),
    ("jp_my_number", |text| of(text).len() == 12),
    ("au_tfn", |text| {
        let digits = of(text);
        digits.len() == 9 && weighed(&digits, &[1, 4, 3, 7, 5, 8, 6, 9, 10]).is_multiple_of(11)
    }),
    ("za_id", |text| {
        let digits = of(text);
        digits.len() == 13 && luhn(&digits) && month_day(&digits[2..6], &[0])
    }),
    ("tr_kimlik", tr_kimlik),
    ("cl_rut", cl_rut),
    ("ar_cuil", |text| {
        let digits = of(text);
        let rest = 11 - weighed(&digits, &[5, 4, 3, 2, 7, 6, 5, 4, 3, 2]) % 11;
        digits.len() == 11
            && matches!(number(&digits[..2]), 20 | 23 | 24 | 27)
            && last(&digits) == rest % 11
    }),
    ("mx_curp", |text| of(text).get(2..).is_some_and(|digits| month_day(digits, &[0]))),
    ("in_pan", |text| text.as_bytes().get(3).is_some_and(|b| b"PCHABGJLFT".contains(b))),
    ("sg_nric", sg_nric),
    ("ie_pps", ie_pps),
    ("ru_snils", |text| {
        let digits = of(text);
        let sum = weighed(&digits, &[9, 8, 7, 6, 5, 4, 3, 2, 1]) % 101;
        digits.len() == 11 && number(&digits[9..]) == u64::from(sum % 100)
    }),
    ("il_id", |text| of(text).len() == 9 && luhn(&of(text))),
    ("ro_cnp", |text| {
        let digits = of(text);
        let rest = weighed(&digits, &[2, 7, 9, 1, 4, 6, 3, 5, 8, 2, 7, 9]) % 11;
        digits.len() == 13 && last(&digits) == if rest == 10 { 1 } else { rest }
    }),
    ("hk_id", |text| text.len() >= 8),
];

/// Weights of EAN-13.
const EAN: [u32; 13] = [1, 3, 1, 3, 1, 3, 1, 3, 1, 3, 1, 3, 1];

fn last(digits: &[u8]) -> u32 {
    digits.last().copied().map_or(0, u32::from)
}

/// Whether four digits are a month, less one of the shifts that states add to it, and a day.
fn month_day(digits: &[u8], shifts: &[u64]) -> bool {
    digits.len() >= 4
        && shifts.iter().any(|shift| {
            let (month, day) = (number(&digits[..2]), number(&digits[2..4]));
            is_day(month.wrapping_sub(*shift), day) || is_day(month, day.wrapping_sub(*shift))
        })
}

/// Never given: areas 000, 666 and, but for taxpayers' numbers, 900 and above.
fn us_ssn(text: &str) -> bool {
    let digits = of(text);
    if digits.len() != 9 {
        return false;
    }
    let (area, group, serial) = (number(&digits[..3]), number(&digits[3..5]), number(&digits[5..]));
    let taxpayer = area >= 900 && matches!(group, 50..=65 | 70..=88 | 90..=92 | 94..=99);
    (taxpayer || area < 900) && area != 0 && area != 666 && group != 0 && serial != 0
}

/// Prefixes with a Q were never given, but stand in the forms as examples.
fn uk_nino(text: &str) -> bool {
    let Some(prefix) = text.get(..2) else { return false };
    let bytes = prefix.as_bytes();
    !b"DFIUV".contains(&bytes[0])
        && !b"DFIOUV".contains(&bytes[1])
        && !["BG", "GB", "KN", "NK", "NT", "TN", "ZZ"].contains(&prefix)
}

/// Of the first ten digits one comes twice or three times.
fn de_steuer_id(text: &str) -> bool {
    let digits = of(text);
    if digits.len() != 11 || digits[0] == 0 || !mod_11_10(&digits) {
        return false;
    }
    let times = |digit: u8| digits[..10].iter().filter(|other| **other == digit).count();
    let repeated = (0..10).filter(|digit| times(*digit) > 1).collect::<Vec<u8>>();
    repeated.len() == 1 && times(repeated[0]) <= 3
}

/// The German pension number: area, birthday, letter, serial, check.
fn de_rvnr(text: &str) -> bool {
    let Some(letter) = text.bytes().find(u8::is_ascii_uppercase) else { return false };
    let digits = of(text);
    if digits.len() != 11 {
        return false;
    }
    let place = letter - b'A' + 1;
    let twelve = [&digits[..8], &[place / 10, place % 10], &digits[8..10]].concat();
    let sum: u32 = twelve
        .iter()
        .zip([2, 1, 2, 5, 7, 1, 2, 1, 2, 1, 2, 1])
        .map(|(digit, weight)| u32::from(*digit) * weight)
        .map(|product| product / 10 + product % 10)
        .sum();
    is_day(number(&digits[4..6]), number(&digits[2..4])) && sum % 10 == last(&digits)
}

/// Sex, year, month, department, commune, order, key; Corsica writes 2A and 2B.
fn fr_nir(text: &str) -> bool {
    let corsican = text.replacen("2A", "19", 1).replacen("2B", "18", 1);
    let digits = of(&corsican);
    if corsican.len() != digits.len() || !matches!(digits.len(), 13 | 15) {
        return false;
    }
    let month = number(&digits[3..5]);
    let key = 97 - number(&digits[..13]) % 97;
    matches!(digits[0], 1 | 2 | 7 | 8)
        && (matches!(month, 1..=12 | 20 | 30..=42 | 50..=99))
        && (digits.len() == 13 || number(&digits[13..]) == key)
}

fn es_letter(text: &str) -> bool {
    const LETTERS: &[u8; 23] = b"TRWAGMYFPDXBNJZSQVHLCKE";
    let digits = of(text);
    digits.len() == 8
        && text.bytes().last() == LETTERS.get((number(&digits) % 23) as usize).copied()
}

fn it_codice_fiscale(text: &str) -> bool {
    const ODD: [u32; 26] = [
        1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24,
        23,
    ];
    let place = |b: u8| u32::from(if b.is_ascii_digit() { b - b'0' } else { b - b'A' });
    if text.len() != 16 || !text.bytes().all(|b| b.is_ascii_digit() || b.is_ascii_uppercase()) {
        return false;
    }
    let value = |(at, b): (usize, u8)| {
        if at % 2 == 0 { ODD[place(b) as usize] } else { place(b) }
    };
    let sum: u32 = text.bytes().take(15).enumerate().map(value).sum();
    text.bytes().last().map(place) == Some(sum % 26)
}

/// The month carries the century: 80, 0, 20, 40, 60.
fn pl_pesel(text: &str) -> bool {
    let digits = of(text);
    digits.len() == 11
        && month_day(&digits[2..6], &[0, 20, 40, 60, 80])
        && weighed(&digits, &[1, 3, 7, 9, 1, 3, 7, 9, 1, 3, 1]).is_multiple_of(10)
}

fn br_cpf(text: &str) -> bool {
    let digits = of(text);
    let check = |count: usize| {
        let sum: u32 =
            (2..).zip(digits[..count].iter().rev()).map(|(w, d)| w * u32::from(*d)).sum();
        sum * 10 % 11 % 10 == u32::from(digits[count])
    };
    digits.len() == 11 && !all_same(&digits) && check(9) && check(10)
}

/// People born from 2000 on put a 2 in front before the division.
fn be_rrn(text: &str) -> bool {
    let digits = of(text);
    if digits.len() != 11 || !month_day(&digits[2..6], &[0, 20, 40]) {
        return false;
    }
    let (rest, key) = (number(&digits[..9]), number(&digits[9..]));
    97 - rest % 97 == key || 97 - (2_000_000_000 + rest) % 97 == key
}

fn fi_hetu(text: &str) -> bool {
    const LETTERS: &[u8; 31] = b"0123456789ABCDEFHJKLMNPRSTUVWXY";
    let digits = of(&text[..text.len().saturating_sub(1)]);
    digits.len() == 9
        && is_day(number(&digits[2..4]), number(&digits[..2]))
        && text.bytes().last() == LETTERS.get((number(&digits) % 31) as usize).copied()
}

fn no_fnr(text: &str) -> bool {
    let digits = of(text);
    let holds = |weights: &[u32]| weighed(&digits, weights).is_multiple_of(11);
    digits.len() == 11
        && is_day(number(&digits[2..4]) % 40, number(&digits[..2]) % 40)
        && holds(&[3, 7, 6, 1, 8, 9, 4, 5, 2, 1])
        && holds(&[5, 4, 3, 2, 7, 6, 5, 4, 3, 2, 1])
}

fn cn_id(text: &str) -> bool {
    let digits = of(&text[..text.len().min(17)]);
    let sum = weighed(&digits, &[7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2]);
    digits.len() == 17
        && matches!(number(&digits[6..8]), 18..=20)
        && month_day(&digits[10..14], &[0])
        && text.bytes().last() == Some(b"10X98765432"[(sum % 11) as usize])
}

fn tr_kimlik(text: &str) -> bool {
    let digits = of(text);
    if digits.len() != 11 || digits[0] == 0 {
        return false;
    }
    let odd = weighed(&digits, &[1, 0, 1, 0, 1, 0, 1, 0, 1]);
    let even = weighed(&digits, &[0, 1, 0, 1, 0, 1, 0, 1]);
    let sum: u32 = digits[..10].iter().copied().map(u32::from).sum();
    (odd * 7 + 100 - even) % 10 == u32::from(digits[9]) && sum % 10 == last(&digits)
}

fn cl_rut(text: &str) -> bool {
    let Some((body, check)) = text.split_at_checked(text.len().saturating_sub(1)) else {
        return false;
    };
    let sum: u32 = of(body).iter().rev().zip((2..=7).cycle()).map(|(d, w)| w * u32::from(*d)).sum();
    let right = match 11 - sum % 11 {
        11 => "0".to_owned(),
        10 => "K".to_owned(),
        digit => digit.to_string(),
    };
    matches!(body.len(), 7 | 8) && check == right
}

/// A second letter, if there is one, counts too; `W` as the second one is of old numbers.
fn ie_pps(text: &str) -> bool {
    let bytes = text.as_bytes();
    let second = bytes.get(8).filter(|b| b.is_ascii_uppercase() && **b != b'W');
    let extra = second.map_or(0, |b| 9 * u32::from(b - b'@'));
    let rest = (weighed(&of(text), &[8, 7, 6, 5, 4, 3, 2]) + extra) % 23;
    let check = if rest == 0 { u32::from(b'W') } else { u32::from(b'@') + rest };
    bytes.get(7).copied().map(u32::from) == Some(check)
}

fn sg_nric(text: &str) -> bool {
    let first = text.bytes().next().unwrap_or(b'Z');
    let sum = weighed(&of(text), &[2, 7, 6, 5, 4, 3, 2]);
    let (shift, letters): (u32, &[u8; 11]) = match first {
        b'S' => (0, b"JZIHGFEDCBA"),
        b'T' => (4, b"JZIHGFEDCBA"),
        b'F' => (0, b"XWUTRQPNMLK"),
        b'G' => (4, b"XWUTRQPNMLK"),
        b'M' => (3, b"XWUTRQPNJLK"),
        _ => return false,
    };
    text.len() == 9 && text.bytes().last() == Some(letters[((sum + shift) % 11) as usize])
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Published examples; with another last character none of them passes.
    #[test]
    fn checks_know_right_from_wrong() {
        for (name, right) in [
            ("uk_nhs", "9434765919"),
            ("de_steuer_id", "86095742719"),
            ("de_rvnr", "65180539W001"),
            ("nl_bsn", "111222333"),
            ("fr_nir", "184127645108946"),
            ("es_dni", "12345678Z"),
            ("es_nie", "X1234567L"),
            ("it_codice_fiscale", "RSSMRA85T10A562S"),
            ("pl_pesel", "44051401359"),
            ("in_aadhaar", "234123412346"),
            ("br_cpf", "12345678909"),
            ("ca_sin", "130692544"),
            ("be_rrn", "85073003328"),
            ("ch_ahv", "7569217076985"),
            ("se_personnummer", "8507099805"),
            ("fi_hetu", "131052308T"),
            ("cn_id", "11010519491231002X"),
            ("au_tfn", "123456782"),
            ("tr_kimlik", "10000000146"),
            ("cl_rut", "123456785"),
            ("ar_cuil", "20123456786"),
            ("sg_nric", "S1234567D"),
            ("ie_pps", "1234567T"),
            ("ru_snils", "11223344595"),
            ("ro_cnp", "1800101221144"),
            ("no_fnr", "13097248022"),
            ("at_svnr", "1237010180"),
            ("cz_rc", "7360285163"),
            ("za_id", "8001015009087"),
            ("pt_nif", "123456789"),
        ] {
            let check = named(name).unwrap();
            assert!(check(right), "{name}: {right}");
            let mut wrong = right.to_owned();
            let last = wrong.pop().unwrap();
            wrong.push(match last {
                '9' => '8',
                'Z' => 'Y',
                '0'..='8' | 'A'..='Y' => char::from(last as u8 + 1),
                _ => unreachable!("examples end in a digit or a capital"),
            });
            if name != "at_svnr" {
                assert!(!check(&wrong), "{name}: {wrong}");
            }
        }
    }

    #[test]
    fn no_check_panics_on_any_text_of_letters_and_digits() {
        for (_, check) in NAMES {
            for text in ["A", "1", "12345678901", "ABCDEFGHIJKLMNOP", "X", "12345678A9012"] {
                let _ = check(text);
            }
        }
    }
}
