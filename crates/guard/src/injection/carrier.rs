//! What kind of result a tool returns, as far as its name says: among figures, reviews and
//! entries of a list an order has no business, while people write orders to each other in
//! letters and manuals.

/// Where a result comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Carrier {
    /// Measurements, prices, reviews, entries: nothing that asks a reader to act.
    Figures,
    /// Anything else: prose in which people ask people for things.
    Prose,
}

/// Words in the names of tools that return figures and entries.
const FIGURES: [&str; 41] = [
    "balance",
    "balances",
    "calc",
    "calculate",
    "calculator",
    "catalog",
    "clock",
    "convert",
    "currency",
    "definition",
    "dictionary",
    "directions",
    "exchange",
    "flight",
    "flights",
    "forecast",
    "forex",
    "geocode",
    "hotel",
    "hotels",
    "listing",
    "listings",
    "math",
    "metrics",
    "places",
    "price",
    "prices",
    "product",
    "products",
    "rates",
    "rating",
    "ratings",
    "restaurant",
    "restaurants",
    "review",
    "reviews",
    "stock",
    "stocks",
    "timezone",
    "transactions",
    "weather",
];

impl Carrier {
    /// The kind that a tool's name tells.
    pub(super) fn of(tool: &str) -> Self {
        let mut spaced = String::with_capacity(tool.len());
        for ch in tool.chars() {
            if ch.is_uppercase() {
                spaced.push(' ');
            }
            spaced.extend(ch.to_lowercase());
        }
        let mut words = spaced.split(|ch: char| !ch.is_alphanumeric());
        let known = words.any(|word| FIGURES.binary_search(&word).is_ok());
        if known { Carrier::Figures } else { Carrier::Prose }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_tells_its_kind_however_it_is_spelled() {
        assert!(FIGURES.is_sorted());
        for (tool, kind) in [
            ("get_weather", Carrier::Figures),
            ("AmazonGetProductReviews", Carrier::Figures),
            ("bank.transactions", Carrier::Figures),
            ("read_email", Carrier::Prose),
            ("web_fetch", Carrier::Prose),
            ("", Carrier::Prose),
        ] {
            assert_eq!(Carrier::of(tool), kind, "{tool}");
        }
    }
}
