//! Sums as people write them, and what the calculator must refuse or stop.

use super::*;

/// Expression → the whole result, or `!` and a part of the refusal.
const CASES: &[(&str, &str)] = &[
    // exact decimals
    ("0.1 + 0.2", "0.3"),
    ("0.1 + 0.7", "0.8"),
    ("1.10 * 3", "3.3"),
    ("4.35 * 100", "435"),
    ("1.005 * 1000", "1005"),
    ("123456789.123456789 * 1000000.000001", "123456789123580.245789123456789"),
    ("0.1 ^ 30", "0.000000000000000000000000000001"),
    ("1e-30 + 1", "1.000000000000000000000000000001"),
    ("1/3 * 3", "1"),
    ("2^64", "18446744073709551616"),
    ("2**10", "1024"),
    (
        "1234567890123456789012345678901234567890 * 987654321",
        "1219326311248285321124828532112482853211126352690",
    ),
    // not exact, and said so
    ("1/3", "approx. 0.3333333333"),
    ("2/3 to 3 dp", "approx. 0.667"),
    ("1/7 to 20 dp", "approx. 0.14285714285714285714"),
    ("sqrt 2", "approx. 1.4142135624"),
    ("pi", "approx. 3.1415926536"),
    ("2π", "approx. 6.2831853072"),
    ("22/7 to fraction", "22/7"),
    // percentages
    ("17.5% of 2340", "409.5"),
    ("2340 * 17.5%", "409.5"),
    ("17.5 % of 2,340", "409.5"),
    ("50 percent of 80", "40"),
    ("20% of 50 + 3", "13"),
    ("10% of 20% of 50", "1"),
    ("5%", "0.05"),
    ("5% * 5%", "0.0025"),
    ("5% + 3%", "0.08"),
    ("100 + 10%", "!two things"),
    ("100 - 10%", "!two things"),
    ("100 + 10% of 100", "110"),
    ("10 / 20% of 50", "!brackets around"),
    ("(1 + 2)%", "0.03"),
    ("(1 + 2)% of 50", "1.5"),
    ("((2 + 3) * 2)% * (5 + 5)", "1"),
    ("100 + (5 + 5)%", "!two things"),
    ("7 / (1 + 1)%", "!brackets around"),
    ("sqrt(4)%", "0.02"),
    ("% of 3", "!follows a number"),
    ("12 / 80 to %", "15%"),
    ("1 + 10%", "1.1"),
    ("64.20 * (1 - 20%)", "51.36"),
    ("5 + 1 - 20%", "!two things"),
    ("10 % 3", "1"),
    ("10 mod 3", "1"),
    // what people write
    ("2 × 3 ÷ 4 − 1", "0.5"),
    ("3 x 4", "12"),
    ("3x4", "12"),
    ("2x + 3", "!no number"),
    ("2x - 3", "!no number"),
    ("3 × -4", "-12"),
    ("0x10 to decimal", "16"),
    ("2+2 =", "4"),
    ("2 + 2?", "4"),
    ("1,234,567.5 * 2", "2469135"),
    ("1_000 * 3", "3000"),
    ("√16", "4"),
    ("5²", "25"),
    ("4(5)", "20"),
    ("(1+2)(3+4)", "21"),
    ("[1+2]*3", "9"),
    (".5 + .25", "0.75"),
    ("2 million * 3", "6000000"),
    ("-3^2", "-9"),
    // functions
    ("7!", "5040"),
    ("sqrt(16)", "4"),
    ("cbrt 27", "3"),
    ("abs(-3)", "3"),
    ("floor(2.7)", "2"),
    ("round 2.5", "3"),
    ("sin(30 degrees)", "0.5"),
    ("10 choose 3", "120"),
    ("255 to hex", "ff"),
    // units
    ("5 km to miles", "approx. 3.1068559612 miles"),
    ("5 feet 3 inches to cm", "160.02 cm"),
    ("32 °F to °C", "0 °C"),
    ("3 hours + 20 minutes to minutes", "200 minutes"),
    ("1 GB to MiB", "953.67431640625 MiB"),
    ("60 mph to km/h", "96.56064 km / h"),
    ("100 km / 2 hours to km/h", "50 km / h"),
    ("12 kg / 2 m^3 to kg/m^3", "6 kg / m^3"),
    ("12 kg / 2 m³ to kg/m³", "6 kg / m^3"),
    ("1 km / 4 to m", "250 m"),
    ("3 m + 2", "!cannot convert"),
    ("5 ft 3 in to cm", "160.02 cm"),
    ("12 in to cm", "30.48 cm"),
    ("255 in hex", "ff"),
    ("100 F to C", "approx. 37.7777777778 °C"),
    // rounding: the place that is raised is the last that is shown
    ("1.005 to 2 dp", "approx. 1.01"),
    ("-1.005 to 2 dp", "approx. -1.01"),
    ("0.005 to 2 dp", "approx. 0.01"),
    ("100.006 to 2 dp", "approx. 100.01"),
    ("1.2305 to 3 dp", "approx. 1.231"),
    ("1.0049999 to 2 dp", "approx. 1.00"),
    ("9.995 to 2 dp", "approx. 10.00"),
    ("100.1 - 99.095 to 2 dp", "approx. 1.01"),
    ("1.006 km to km to 2 dp", "approx. 1.01 km"),
    ("2.5 to 0 dp", "approx. 3"),
    ("12999 to 2 sf", "approx. 13000"),
    ("19.99 to 1 sf", "approx. 20"),
    ("1/7 to 5 sf", "approx. 0.14286"),
    ("180/pi", "approx. 57.2957795131"),
    ("7 + 1/15000000000", "approx. 7.0000000001"),
    ("sqrt(1.0000000004)", "approx. 1.0000000002"),
    ("1 + 7/10^45/3", "approx. 1"),
    ("1/(3*10^20)", "approx. 0.000000000000000000003333333333"),
    ("1/3 + 10^-41 - 1/3 * 1", "0.00000000000000000000000000000000000000001"),
    ("(1/3 to 2 dp) * 3", "!stands at the end"),
    ("1/7 to (1000 + 9000) dp", "!stands at the end"),
    ("12 dp", "!stands at the end"),
    // no digit is shown that is not true
    ("sqrt 2 to 100 dp", "approx. 1.41421356237310"),
    ("2^0.5 to 30 dp", "approx. 1.41421356237310"),
    ("2^(1/2) to 30 dp", "approx. 1.41421356237310"),
    ("sqrt(2) * 10^20", "approx. 141421356237310000000"),
    ("pi to 50 dp", "approx. 3.14159265358979323846264338327950288"),
    ("e to 30 dp", "approx. 2.71828182845905"),
    ("1.1^(2*8) to 16 dp", "4.5949729863572161"),
    // a function is of its brackets
    ("sin(2)^2", "approx. 0.8268218104"),
    ("-sin(2)^2", "approx. -0.8268218104"),
    ("ln(10)^3", "approx. 12.2080715538"),
    ("sin(45 degrees)^2", "approx. 0.5"),
    ("sqrt(9)!", "6"),
    ("sqrt(abs(-16))", "4"),
    ("2√9", "6"),
    ("2 sqrt(9) + 1", "7"),
    ("6 / 2 sqrt(9)", "9"),
    ("sin 90 degrees", "!put brackets"),
    ("cos 2 pi", "!put brackets"),
    ("sin 1/2", "!put brackets"),
    ("ln 10^3", "!put brackets"),
    ("sqrt", "!put brackets"),
    ("sqrt(-1)", "!not a real number"),
    ("(-8)^(1/3)", "!not a real number"),
    ("sqrt(-4) m", "!not a real number"),
    // two meanings
    ("10 // 3", "!`/` needs a number"),
    ("3 / / 4", "!`/` needs a number"),
    ("/ 4", "!`/` needs a number"),
    ("2²³", "!two powers"),
    ("5!!", "!two things"),
    ("(3!)!", "720"),
    ("10² + 10%", "!two things"),
    ("1/2 hour to minutes", "!two things"),
    ("(1/2) hour to minutes", "30 minutes"),
    ("12 m^2 / 3 m", "4 m"),
    ("3 km per 2 hours to km/h", "1.5 km / h"),
    ("0,125 * 8", "!only groups thousands"),
    ("log(8,100)", "!without it"),
    ("17.5% of (2,340)", "409.5"),
    // mistakes
    ("1/0", "!division by zero"),
    ("7 mod 0", "!modulo by zero"),
    ("0^0", "!undefined"),
    ("log 0", "!must lie in"),
    ("", "!nothing to compute"),
    ("   ", "!nothing to compute"),
    ("3 +", "!"),
    ("(1 + 2", "!never closed"),
    ("1 + 2)", "!closes nothing"),
    ("1,2,3", "!only groups thousands"),
    ("max(1, 2)", "!only groups thousands"),
    ("1.2.3", "!two decimal points"),
    ("hello", "!`hello` is no number"),
    ("what is 2+2", "!no number"),
    ("5 USD to EUR", "!currencies"),
    ("$5 + $3", "!leave currency signs out"),
    ("2d6", "!cannot be used"),
    ("roll d6", "!cannot be used"),
    ("average(100,200)", "!cannot be used"),
    ("fibonacci 100000000", "!cannot be used"),
    ("x = 5", "!cannot be used"),
    ("(\\x. x x)(\\x. x x)", "!cannot be used"),
    ("f: f f", "!cannot be used"),
    ("\"a\"", "!cannot be used"),
    ("@debug 1", "!cannot be used"),
    ("1; 2", "!cannot be used"),
    ("today", "!cannot be used"),
    // what must stop
    ("9^9^9", "!stopped"),
    ("9^9^9^9", "!stopped"),
    ("100000!", "!stopped"),
    ("99999999999999999999!", "!stopped"),
    ("10^1000000", "!stopped"),
    ("1000000 choose 500000", "!stopped"),
    ("1.0000001^100000", "!stopped"),
    ("2^(-100000)", "!stopped"),
    ("2^100000", "!more than the 10000"),
    ("1e99999999999999", "!power of ten"),
    ("1/7 to 100000 dp", "!at most 1000 places"),
];

/// What is wrong with the result, if anything.
async fn wrong(expression: &str, wanted: &str) -> Option<String> {
    let got = computed(expression).await;
    let right = match (&got, wanted.strip_prefix('!')) {
        (Ok(got), None) => got == wanted,
        (Err(Failure::Told(words)), Some(part)) => words.contains(part),
        (Ok(_) | Err(_), _) => false,
    };
    (!right).then(|| format!("`{expression}`: {got:?}, not {wanted:?}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn every_expression_has_its_result() {
    let (stopped, quick): (Vec<_>, Vec<_>) =
        CASES.iter().partition(|(_, wanted)| *wanted == "!stopped");
    let mut mistakes = Vec::new();
    // One after the other, so that each has the whole time limit for itself.
    for (expression, wanted) in quick {
        mistakes.extend(wrong(expression, wanted).await);
    }
    let stopped = stopped.iter().map(|(expression, wanted)| wrong(expression, wanted));
    mistakes.extend(futures::future::join_all(stopped).await.into_iter().flatten());
    assert!(mistakes.is_empty(), "{}", mistakes.join("\n"));
}

#[tokio::test]
async fn deep_and_long_expressions_neither_crash_nor_hang() {
    let brackets = |n: usize| format!("{}1{}", "(".repeat(n), ")".repeat(n));
    let cases = [
        (brackets(50), "1"),
        (brackets(51), "!brackets within brackets"),
        ("(".repeat(1_000), "!more than"),
        (format!("{}1", "-".repeat(398)), "1"),
        (format!("{}1", "2^".repeat(199)), "!"),
        (format!("{}1", "1+".repeat(199)), "200"),
        ("1+".repeat(500), "!more than 400 parts"),
        (format!("3{}", "!".repeat(300)), "!two things"),
        (format!("{}9", "sin ".repeat(300)), "!"),
        ("m ".repeat(399), "1 m^399"),
    ];
    for (expression, wanted) in cases {
        let mistake = wrong(&expression, wanted).await;
        assert!(mistake.is_none(), "{}", mistake.unwrap_or_default());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_computation_that_nobody_waits_for_stops() {
    let before = RUNNING.load(Ordering::SeqCst);
    let mut work = Box::pin(computed("9^9^9"));
    assert!(futures::poll!(&mut work).is_pending());
    drop(work);
    // The thread looks up at its next step and leaves its place.
    while RUNNING.load(Ordering::SeqCst) > before {
        tokio::task::yield_now().await;
    }
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(256))]

    #[test]
    fn any_text_is_read_or_refused(text in "[0-9a-zA-Z+*/^%()!., ²√$=-]{0,60}") {
        let _ = expression::rewritten(&text);
    }

    #[test]
    fn sums_and_products_of_decimals_are_exact(a in 0_u64..1_000_000, b in 0_u64..1_000_000) {
        let text = format!("{a} * 0.001 + {b} * 0.001");
        let limits = Limits::new();
        let got = evaluate(&expression::rewritten(&text).unwrap(), &limits).unwrap();
        let thousandths = a + b;
        let digits = format!("{}.{:03}", thousandths / 1_000, thousandths % 1_000);
        let wanted = digits.trim_end_matches('0').trim_end_matches('.');
        proptest::prop_assert_eq!(got, wanted);
    }
}
