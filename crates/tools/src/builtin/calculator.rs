//! Arithmetic with exact decimals and units.
//!
//! The expression is read and rewritten by `expression`, which lets only arithmetic
//! through, and is computed by fend on a thread of its own with a deep stack, a step
//! limit and a time limit. There are no files, no network, no chance, no clock.

mod decimal;
mod expression;

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use engine::ports::{ToolError, ToolOutput};
use kernel::agent::{Effect, EffectRule, ToolSpec};
use serde::Deserialize;
use serde_json::json;

use self::decimal::{Decimal, Precision, without_zeros};
use self::expression::{Form, Rewritten};
use crate::failure::{Failure, answer, told};
use crate::files::Stop;

/// Steps of one computation.
const STEPS_MAX: u64 = 5_000_000;

/// Time for one computation, in milliseconds.
const TIME_MS_MAX: u64 = 2_000;

/// The longest result, in characters.
const RESULT_CHARS_MAX: usize = 10_000;

/// Places of a result whose digits do not end, and figures of one smaller than they show.
const PLACES_USUAL: usize = 10;

/// Places computed beyond those that are shown, so that rounding here is right.
const PLACES_SPARE: usize = 30;

/// Places computed where the first digit may come late.
const PLACES_FAR: usize = 330;

/// Stack of the thread that computes, in bytes; most of it is never touched.
const STACK_BYTES: usize = 64 * 1024 * 1024;

/// Computations at the same time.
const RUNNING_MAX: usize = 32;

/// The longest expression, in characters.
const EXPRESSION_CHARS_MAX: usize = 1_000;

#[derive(Debug, Deserialize)]
pub(crate) struct Input {
    expression: String,
}

pub(crate) fn spec() -> ToolSpec {
    ToolSpec {
        name: "calculator".to_owned(),
        description: "Computes an expression exactly, with decimals of any length: `0.1 + 0.2`, \
                      `17.5% of 2340`, `2^64`, `sqrt(2)`, `5!`, `10 mod 3`, `sin(30 degrees)`, with brackets \
                      around what a function is of. \
                      Knows units: `5 km to miles`, `3 hours + 20 minutes to minutes`, `100 F to C`. \
                      A result that is not exact begins with `approx.`; `to 2 dp` at the end \
                      rounds, `1/7 to 20 dp` gives more digits."
            .to_owned(),
        input_schema: super::object(
            &["expression"],
            json!({
                "expression": {
                    "type": "string",
                    "minLength": 1,
                    "maxLength": EXPRESSION_CHARS_MAX,
                    "description": "What to compute, without words around it: `17.5% of 2340`.",
                },
            }),
        ),
        effect: EffectRule::Always(Effect::Read),
        deadline_ms: 5_000,
        output_bytes_max: 16_384,
        untrusted: false,
        sensitive: false,
    }
}

pub(crate) async fn run(input: Input) -> Result<ToolOutput, ToolError> {
    answer(computed(&input.expression).await)
}

async fn computed(expression: &str) -> Result<String, Failure> {
    let expression = expression::rewritten(expression).or_else(told)?;
    let limits = Limits::new();
    let _stop = StopOnDrop(limits.stop.clone());
    let (send, done) = tokio::sync::oneshot::channel();
    let Some(place) = Place::take() else {
        return told("too many computations are under way\ntry again");
    };
    let work = move || {
        let _place = place;
        let _ = send.send(evaluate(&expression, &limits));
    };
    let thread = std::thread::Builder::new().name("calculator".to_owned()).stack_size(STACK_BYTES);
    if thread.spawn(work).is_err() {
        return told("this machine has no thread left to compute on\ntry again later");
    }
    match done.await {
        Ok(result) => result.or_else(told),
        Err(_) => told("the computation crashed\nwrite the expression more simply"),
    }
}

fn evaluate(asked: &Rewritten, limits: &Limits) -> Result<String, String> {
    let text = shown(asked, limits)?;
    let length = text.chars().count();
    if text.is_empty() {
        return Err("there is nothing to compute".to_owned());
    }
    if is_complex(&text) {
        return Err("the result is not a real number\n\
                    there is no such root, logarithm or angle"
            .to_owned());
    }
    if text.contains('\\') {
        return Err("the result is not a number\ngive each function its value".to_owned());
    }
    if length > RESULT_CHARS_MAX {
        return Err(format!(
            "the result has {length} characters, more than the {RESULT_CHARS_MAX} that are shown\n\
             ask for its logarithm, or for fewer digits"
        ));
    }
    Ok(text)
}

/// The result with the digits that were asked for and are true.
fn shown(asked: &Rewritten, limits: &Limits) -> Result<String, String> {
    let plain = computed_by_fend(&asked.text, limits)?;
    let approximate = plain.starts_with("approx. ");
    let whole = Decimal::read(&plain).is_none_or(|number| number.places() == 0);
    let figures = asked.figures_true;
    let (precision, places) = match asked.form {
        Form::Other if approximate && whole && !plain.contains(['.', '/']) => {
            return Err(
                "the result cannot be shown exactly in that form\nleave the form out".to_owned()
            );
        }
        Form::Other => return Ok(plain),
        Form::Usual if !approximate => return Ok(plain),
        Form::Usual => (Precision { places: PLACES_USUAL, figures }, PLACES_USUAL + PLACES_SPARE),
        Form::Places(places) => (Precision { places, figures }, places + PLACES_SPARE),
        Form::Figures(asked) => {
            (Precision { places: usize::MAX, figures: figures.min(asked) }, asked + PLACES_FAR)
        }
    };
    let text = digits(&asked.text, places, limits)?;
    let Some(number) = Decimal::read(&text) else {
        return Ok(text); // told apart by whoever looks at it next
    };
    if asked.form == Form::Usual {
        if number.vanishes(PLACES_USUAL) {
            let text = digits(&asked.text, PLACES_FAR, limits)?;
            let few = Precision { places: usize::MAX, figures: figures.min(PLACES_USUAL) };
            let few = Decimal::read(&text).map(|number| number.rounded(few));
            return Ok(without_zeros(&few.unwrap_or(text)));
        }
        return Ok(without_zeros(&number.rounded(precision)));
    }
    Ok(number.rounded(precision))
}

/// The result with so many places, or all if they are fewer; only the last may be wrong.
fn digits(expression: &str, places: usize, limits: &Limits) -> Result<String, String> {
    let ask = |places| computed_by_fend(&format!("({expression}) to {places} dp"), limits);
    let text = ask(places)?;
    let zeros =
        Decimal::read(&text).is_some_and(|number| number.approximate && number.places() < places);
    if !zeros {
        return Ok(text);
    }
    // Zeros at the end were left out, and in rounding up the wrong digit may have been
    // raised. Then the next place has a digit, and is written with all before it.
    let next = ask(places + 1)?;
    let right = Decimal::read(&next).is_some_and(|number| number.places() == places + 1);
    Ok(if right { next } else { text })
}

fn computed_by_fend(expression: &str, limits: &Limits) -> Result<String, String> {
    let mut context = fend_core::Context::new();
    let result = fend_core::evaluate_with_interrupt(expression, &mut context, limits);
    let result = result.map_err(|error| worded(&error))?;
    Ok(result.get_main_result().to_owned())
}

/// Whether an imaginary part is in a result: `0 + 2i`, `i`, `(1 + i) m`.
fn is_complex(text: &str) -> bool {
    let mut words = text.split(|c: char| c.is_whitespace() || "()-".contains(c));
    words.any(|word| {
        word.strip_suffix('i')
            .is_some_and(|number| number.bytes().all(|b| b.is_ascii_digit() || b == b'.'))
    })
}

fn worded(error: &str) -> String {
    let unknown = error.strip_prefix("unknown identifier ").map(|name| name.replace('\'', "`"));
    match (error, unknown) {
        ("interrupted", _) => format!(
            "stopped: this takes more than {STEPS_MAX} steps or {TIME_MS_MAX} ms to compute\n\
             use smaller numbers or exponents"
        ),
        ("exchange rates are not available", _) => {
            "currencies cannot be converted here\nleave the currency out, or look the rate up"
                .to_owned()
        }
        (_, Some(name)) => format!(
            "{name} is no number, unit or function that is known here\n\
             give only the expression, like `17.5% of 2340` or `5 km to miles`"
        ),
        (_, None) => error.to_owned(),
    }
}

/// When a computation must stop.
struct Limits {
    steps: AtomicU64,
    until: Instant,
    stop: Stop,
}

impl Limits {
    fn new() -> Self {
        let until = Instant::now() + Duration::from_millis(TIME_MS_MAX);
        Limits { steps: AtomicU64::new(0), until, stop: Stop::default() }
    }
}

impl fend_core::Interrupt for Limits {
    fn should_interrupt(&self) -> bool {
        let steps = self.steps.fetch_add(1, Ordering::Relaxed);
        steps > STEPS_MAX || self.stop.is_set() || Instant::now() > self.until
    }
}

/// Stops the computation when nobody waits for it any more.
struct StopOnDrop(Stop);

impl Drop for StopOnDrop {
    fn drop(&mut self) {
        self.0.set();
    }
}

/// One of the places for computations, free again when it is dropped.
struct Place;

static RUNNING: AtomicUsize = AtomicUsize::new(0);

impl Place {
    fn take() -> Option<Place> {
        if RUNNING.fetch_add(1, Ordering::SeqCst) < RUNNING_MAX {
            return Some(Place);
        }
        RUNNING.fetch_sub(1, Ordering::SeqCst);
        None
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        RUNNING.fetch_sub(1, Ordering::SeqCst);
    }
}

#[cfg(test)]
mod tests;
