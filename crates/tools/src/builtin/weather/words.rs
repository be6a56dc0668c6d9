//! A forecast in words.

use serde_json::Value;

use crate::failure::{Failure, told};

/// The forecast for a day, or for now and today.
pub(super) fn report(place: &str, forecast: &Value, day: Option<&str>) -> Result<String, Failure> {
    let days: Vec<&str> = forecast["daily"]["time"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .take_while(|day| is_date(day))
        .collect();
    let (Some(first), Some(last)) = (days.first(), days.last()) else {
        return told("the weather service answered without a forecast\nit may work later");
    };
    let at = match day {
        None | Some("today") => Some(0),
        Some("tomorrow") => Some(1),
        Some(date) => days.iter().position(|known| *known == date),
    };
    let Some(date) = at.and_then(|at| days.get(at)) else {
        return told(format!("there is no forecast for that day\nit goes from {first} to {last}"));
    };
    let mut out = format!("Weather in {place}\n");
    if day.is_none() {
        out.push_str(&now(&forecast["current"]));
    }
    out.push_str(&on(date, forecast, at.unwrap_or(0)));
    Ok(out)
}

/// Whether a text of the service is nothing but a date: it is shown as it is.
fn is_date(text: &str) -> bool {
    text.len() == 10 && text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-')
}

fn now(current: &Value) -> String {
    let parts = [
        amount(&current["temperature_2m"], "", " °C"),
        amount(&current["apparent_temperature"], "feels like ", " °C"),
        sky(&current["weather_code"]),
        amount(&current["wind_speed_10m"], "wind ", " km/h"),
        amount(&current["relative_humidity_2m"], "humidity ", " %"),
    ];
    line("now", &parts)
}

fn on(date: &str, forecast: &Value, at: usize) -> String {
    let daily = |key: &str| &forecast["daily"][key][at];
    let parts = [
        amount(daily("temperature_2m_min"), "from ", " °C"),
        amount(daily("temperature_2m_max"), "up to ", " °C"),
        sky(daily("weather_code")),
        amount(daily("precipitation_sum"), "precipitation ", " mm"),
        amount(daily("precipitation_probability_max"), "chance of precipitation ", " %"),
        amount(daily("wind_speed_10m_max"), "wind up to ", " km/h"),
    ];
    line(date, &parts)
}

fn line(head: &str, parts: &[Option<String>]) -> String {
    let parts: Vec<&str> = parts.iter().flatten().map(String::as_str).collect();
    if parts.is_empty() { String::new() } else { format!("{head}: {}\n", parts.join(", ")) }
}

fn amount(value: &Value, before: &str, after: &str) -> Option<String> {
    value.is_number().then(|| format!("{before}{value}{after}"))
}

/// The weather code of the World Meteorological Organization, as Open-Meteo lists it.
fn sky(code: &Value) -> Option<String> {
    let words = match code.as_u64()? {
        0 => "clear sky",
        1 => "mostly clear",
        2 => "partly cloudy",
        3 => "overcast",
        45 | 48 => "fog",
        51 | 53 | 55 => "drizzle",
        56 | 57 => "freezing drizzle",
        61 => "light rain",
        63 => "rain",
        65 => "heavy rain",
        66 | 67 => "freezing rain",
        71 => "light snow",
        73 => "snow",
        75 => "heavy snow",
        77 => "snow grains",
        80 | 81 => "rain showers",
        82 => "violent rain showers",
        85 | 86 => "snow showers",
        95 => "thunderstorm",
        96 | 99 => "thunderstorm with hail",
        other => return Some(format!("weather code {other}")),
    };
    Some(words.to_owned())
}
