//! Units of measure: the words people use, and the calculator's name for each.

use crate::simulated::planner::lexer::{Kind, Token};

/// The calculator's name, then the words. Words with capitals are told apart by them.
pub(super) const UNITS: &[(&str, &[&str])] = &[
    ("km", &["km", "kms", "kilometer", "kilometers", "kilometre", "kilometres"]),
    ("m", &["m", "meter", "meters", "metre", "metres"]),
    ("cm", &["cm", "centimeter", "centimeters", "centimetre", "centimetres"]),
    ("mm", &["mm", "millimeter", "millimeters", "millimetre", "millimetres"]),
    ("miles", &["mile", "miles", "mi"]),
    ("yards", &["yard", "yards", "yd"]),
    ("ft", &["ft", "foot", "feet"]),
    ("inches", &["inch", "inches"]),
    ("nmi", &["nmi", "nautical mile", "nautical miles"]),
    ("m^2", &["m²", "m2", "square meter", "square meters", "square metre", "square metres"]),
    ("ft^2", &["ft²", "square foot", "square feet"]),
    (
        "km^2",
        &["km²", "square kilometer", "square kilometers", "square kilometre", "square kilometres"],
    ),
    ("hectares", &["hectare", "hectares"]),
    ("acres", &["acre", "acres"]),
    ("m^3", &["m³", "cubic meter", "cubic meters", "cubic metre", "cubic metres"]),
    ("kg", &["kg", "kgs", "kilo", "kilos", "kilogram", "kilograms", "kilogramme", "kilogrammes"]),
    ("g", &["g", "gram", "grams", "gramme", "grammes"]),
    ("mg", &["mg", "milligram", "milligrams"]),
    ("tonnes", &["tonne", "tonnes", "metric ton", "metric tons"]),
    ("lb", &["lb", "lbs", "pound", "pounds"]),
    ("oz", &["oz", "ounce", "ounces"]),
    ("stone", &["stone", "stones"]),
    ("liters", &["l", "liter", "liters", "litre", "litres"]),
    ("ml", &["ml", "milliliter", "milliliters", "millilitre", "millilitres"]),
    ("gallons", &["gallon", "gallons"]),
    ("pints", &["pint", "pints"]),
    ("cups", &["cup", "cups"]),
    ("tablespoons", &["tbsp", "tablespoon", "tablespoons"]),
    ("teaspoons", &["tsp", "teaspoon", "teaspoons"]),
    ("ms", &["ms", "millisecond", "milliseconds"]),
    ("seconds", &["s", "sec", "secs", "second", "seconds"]),
    ("minutes", &["min", "mins", "minute", "minutes"]),
    ("hours", &["h", "hr", "hrs", "hour", "hours"]),
    ("days", &["day", "days"]),
    ("weeks", &["week", "weeks"]),
    ("months", &["month", "months"]),
    ("years", &["year", "years"]),
    (
        "celsius",
        &["C", "°C", "celsius", "centigrade", "degrees C", "degrees celsius", "degree celsius"],
    ),
    (
        "fahrenheit",
        &["F", "°F", "fahrenheit", "degrees F", "degrees fahrenheit", "degree fahrenheit"],
    ),
    ("kelvin", &["K", "kelvin", "kelvins"]),
    ("mph", &["mph", "miles per hour"]),
    ("km/h", &["km/h", "kmh", "kph", "kilometers per hour", "kilometres per hour"]),
    ("m/s", &["m/s", "meters per second", "metres per second"]),
    ("knots", &["knot", "knots"]),
    ("J", &["J", "joule", "joules"]),
    ("kJ", &["kJ", "kilojoule", "kilojoules"]),
    ("kcal", &["kcal", "kilocalorie", "kilocalories"]),
    ("Wh", &["Wh", "watt hour", "watt hours"]),
    ("kWh", &["kWh", "kilowatt hour", "kilowatt hours"]),
    ("W", &["W", "watt", "watts"]),
    ("kW", &["kW", "kilowatt", "kilowatts"]),
    ("horsepower", &["hp", "horsepower"]),
    ("bar", &["bar"]),
    ("psi", &["psi"]),
    ("bytes", &["byte", "bytes"]),
    ("bits", &["bit", "bits"]),
    ("KB", &["KB", "kB", "kilobyte", "kilobytes"]),
    ("MB", &["MB", "megabyte", "megabytes"]),
    ("GB", &["GB", "gigabyte", "gigabytes"]),
    ("TB", &["TB", "terabyte", "terabytes"]),
    ("KiB", &["KiB", "kibibyte", "kibibytes"]),
    ("MiB", &["MiB", "mebibyte", "mebibytes"]),
    ("GiB", &["GiB", "gibibyte", "gibibytes"]),
    ("degrees", &["degree", "degrees"]),
    ("radians", &["radian", "radians"]),
];

/// Most words in a unit's name.
const WORDS_MAX: usize = 3;

/// The unit at the beginning, and how many tokens name it. Longer names win.
pub(super) fn read(tokens: &[Token<'_>]) -> Option<(&'static str, usize)> {
    (1..=WORDS_MAX.min(tokens.len())).rev().find_map(|length| {
        let words = &tokens[..length];
        let all_words = words.iter().all(|token| token.kind == Kind::Word);
        all_words.then(|| named(words)).flatten().map(|unit| (unit, length))
    })
}

fn named(words: &[Token<'_>]) -> Option<&'static str> {
    let joined =
        |part: fn(&Token<'_>) -> String| words.iter().map(part).collect::<Vec<_>>().join(" ");
    let exact = joined(|token| token.text.to_owned());
    let small = joined(|token| token.word.clone());
    let find =
        |text: &str| UNITS.iter().find(|(_, names)| names.contains(&text)).map(|(unit, _)| *unit);
    let any_case =
        || UNITS.iter().find(|(_, names)| names.iter().any(|name| name.to_lowercase() == small));
    find(&exact).or_else(|| find(&small)).or_else(|| any_case().map(|(unit, _)| *unit))
}
