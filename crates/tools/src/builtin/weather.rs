//! The weather at a place, from Open-Meteo or a server that speaks like it
//! (<https://open-meteo.com/en/docs>).

mod words;

use kernel::agent::{Effect, EffectRule, ToolSpec};
use serde::Deserialize;
use serde_json::{Value, json};

use super::Parts;
use crate::failure::{Failure, told};
use crate::settings::Settings;
use crate::words::plain;

/// Days of the forecast, today included: the most that the service gives.
const DAYS: &str = "16";

/// Places asked for, so that `Paris, Texas` can be told from `Paris`.
const PLACES_MAX: &str = "10";

const FORECAST: &str = "https://api.open-meteo.com";
const GEOCODING: &str = "https://geocoding-api.open-meteo.com";

const CURRENT: &str =
    "temperature_2m,apparent_temperature,relative_humidity_2m,weather_code,wind_speed_10m";
const DAILY: &str = "weather_code,temperature_2m_min,temperature_2m_max,precipitation_sum,precipitation_probability_max,wind_speed_10m_max";

#[derive(Debug, Deserialize)]
pub(crate) struct Input {
    place: String,
    day: Option<String>,
}

pub(crate) fn spec() -> ToolSpec {
    ToolSpec {
        name: "weather".to_owned(),
        description:
            "Tells the weather at a place: now and today, or on one day of the coming two \
                      weeks."
                .to_owned(),
        input_schema: super::object(
            &["place"],
            json!({
                "place": {
                    "type": "string",
                    "minLength": 1,
                    "maxLength": 200,
                    "description": "A town or city, if need be with its country or state: `Paris` or `Paris, Texas`.",
                },
                "day": {
                    "type": "string",
                    "pattern": "^(today|tomorrow|[0-9]{4}-[0-9]{2}-[0-9]{2})$",
                    "description": "`today`, `tomorrow` or a date like `2026-11-24`. Default: now and today.",
                },
            }),
        ),
        effect: EffectRule::Always(Effect::Read),
        deadline_ms: 40_000,
        output_bytes_max: 8_192,
        untrusted: false,
        sensitive: false,
    }
}

/// The servers that a call asks.
pub(crate) fn hosts(settings: &Settings) -> [&str; 2] {
    let forecast = settings.weather_base_url.as_deref().unwrap_or(FORECAST);
    let geocoding = settings.weather_geocoding_url.as_deref();
    let own = settings.weather_base_url.as_deref();
    [forecast, geocoding.or(own).unwrap_or(GEOCODING)]
}

pub(crate) async fn run(parts: &Parts, input: Input) -> Result<String, Failure> {
    let place = locate(parts, &input.place).await?;
    let forecast = forecast(parts, &place).await?;
    words::report(&place.name, &forecast, input.day.as_deref())
}

/// A place that was found.
#[derive(Debug, PartialEq)]
struct Place {
    name: String,
    latitude: f64,
    longitude: f64,
}

async fn locate(parts: &Parts, asked: &str) -> Result<Place, Failure> {
    let settings = &parts.settings;
    let base = settings.weather_geocoding_url.as_deref().or(settings.weather_base_url.as_deref());
    let url = format!("{}/v1/search", base.unwrap_or(GEOCODING).trim_end_matches('/'));
    let mut wanted = asked.split(',').map(str::trim).filter(|part| !part.is_empty());
    let Some(name) = wanted.next() else {
        return told("`place` names no place");
    };
    let query = [("name", name), ("count", PLACES_MAX), ("language", "en"), ("format", "json")];
    let found = parts.http.json("the place search", |client| client.get(url).query(&query)).await?;
    let wanted: Vec<String> = wanted.map(str::to_lowercase).collect();
    choose(&found, asked, &wanted)
}

/// The first place that is in every region asked for.
fn choose(found: &Value, asked: &str, wanted: &[String]) -> Result<Place, Failure> {
    let places: Vec<&Value> = found["results"].as_array().into_iter().flatten().collect();
    let fits = |place: &Value| {
        let regions = ["country", "country_code", "admin1", "admin2", "admin3"];
        let regions: Vec<String> =
            regions.iter().filter_map(|key| place[*key].as_str()).map(str::to_lowercase).collect();
        wanted.iter().all(|want| {
            regions.iter().any(|region| region == want || region.starts_with(want.as_str()))
        })
    };
    let asked = plain(asked, 100);
    let Some(place) = places.iter().find(|place| fits(place)) else {
        let known: Vec<String> =
            places.iter().take(3).map(|place| format!("`{}`", full_name(place))).collect();
        let hint = match known.len() {
            0 => "give a town or city by its usual name".to_owned(),
            _ => format!("there are {}", known.join(", ")),
        };
        return told(format!("no place called `{asked}` was found\n{hint}"));
    };
    let (Some(latitude), Some(longitude)) =
        (place["latitude"].as_f64(), place["longitude"].as_f64())
    else {
        return told("the place search answered with a place that is nowhere");
    };
    Ok(Place { name: full_name(place), latitude, longitude })
}

fn full_name(place: &Value) -> String {
    let mut parts: Vec<&str> =
        ["name", "admin1", "country"].iter().filter_map(|key| place[*key].as_str()).collect();
    parts.dedup();
    plain(&parts.join(", "), 100)
}

async fn forecast(parts: &Parts, place: &Place) -> Result<Value, Failure> {
    let base = parts.settings.weather_base_url.as_deref().unwrap_or(FORECAST);
    let url = format!("{}/v1/forecast", base.trim_end_matches('/'));
    let (latitude, longitude) = (place.latitude.to_string(), place.longitude.to_string());
    let query = [
        ("latitude", latitude.as_str()),
        ("longitude", longitude.as_str()),
        ("current", CURRENT),
        ("daily", DAILY),
        ("timezone", "auto"),
        ("forecast_days", DAYS),
    ];
    parts.http.json("the weather service", |client| client.get(url).query(&query)).await
}
