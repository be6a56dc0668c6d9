//! Rules for the numbers of people: `data/national.json`.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::check::national;

const BUILT_IN: &str = include_str!("../../data/national.json");

#[derive(Deserialize)]
struct File {
    rules: Vec<Written>,
    documents: Documents,
}

#[derive(Deserialize)]
struct Documents {
    words: Vec<String>,
}

#[derive(Deserialize)]
struct Written {
    id: String,
    check: String,
    shapes: Vec<String>,
    #[serde(default)]
    words: Vec<String>,
    #[serde(default)]
    unless: bool,
}

/// A number that a state gives.
#[derive(Debug)]
pub(crate) struct Number {
    pub(crate) id: String,
    pub(crate) check: fn(&str) -> bool,
    /// One of these must stand before it; none: its form is enough.
    pub(crate) words: Vec<String>,
    /// Whether words such as `order` before it say that it is something else.
    pub(crate) unless: bool,
}

/// The numbers, by the shapes that they are written in.
#[derive(Debug)]
pub(crate) struct Numbers {
    all: Vec<Number>,
    shapes: BTreeMap<String, Vec<usize>>,
    /// What stands before the number of a passport, a licence, ….
    pub(crate) documents: Vec<String>,
}

impl Numbers {
    /// The numbers that the house knows.
    pub(crate) fn built_in() -> Numbers {
        let file: File = serde_json::from_str(BUILT_IN)
            .expect("INVARIANT: a test reads the numbers of the house");
        let mut numbers =
            Numbers { all: Vec::new(), shapes: BTreeMap::new(), documents: file.documents.words };
        for rule in file.rules {
            let check = national::named(&rule.check)
                .expect("INVARIANT: a test looks up every check that the data names");
            for shape in rule.shapes {
                numbers.shapes.entry(shape).or_default().push(numbers.all.len());
            }
            let Written { id, words, unless, .. } = rule;
            numbers.all.push(Number { id, check, words, unless });
        }
        numbers
    }

    /// The numbers that are written in this shape.
    pub(crate) fn of_shape(&self, shape: &str) -> impl Iterator<Item = &Number> {
        self.shapes.get(shape).into_iter().flatten().map(|at| &self.all[*at])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_numbers_of_the_house_are_read() {
        let numbers = Numbers::built_in();
        assert!(numbers.all.len() > 50);
        assert!(numbers.of_shape("999-99-9999").any(|number| number.id == "us_ssn"));
        assert!(numbers.shapes.keys().all(|shape| shape.len() <= 24));
    }
}
