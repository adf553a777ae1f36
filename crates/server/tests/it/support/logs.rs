//! Errors in the log: none is expected unless a test says so.

use std::{
    fmt::Write as _,
    sync::{Mutex, Once},
};

use tracing::{
    Event, Level, Subscriber,
    field::{Field, Visit},
};
use tracing_subscriber::{
    Layer,
    layer::{Context, SubscriberExt as _},
    util::SubscriberInitExt as _,
};

static ERRORS: Mutex<Vec<String>> = Mutex::new(Vec::new());
static EXPECTED: Mutex<Vec<String>> = Mutex::new(Vec::new());
static ONCE: Once = Once::new();

/// Begins to listen; the log of a process is one, so tests that share it share the expectations.
pub fn listen() {
    ONCE.call_once(|| tracing_subscriber::registry().with(Errors).init());
}

/// Errors with this text are expected from now on.
pub fn expect(text: &str) {
    EXPECTED.lock().unwrap().push(text.to_owned());
}

/// Errors that nobody expected.
pub fn unexpected() -> Vec<String> {
    let expected = EXPECTED.lock().unwrap().clone();
    let errors = ERRORS.lock().unwrap();
    errors
        .iter()
        .filter(|e| !expected.iter().any(|x| e.contains(x)))
        .cloned()
        .collect()
}

struct Errors;

impl<S: Subscriber> Layer<S> for Errors {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let is_ours = event.metadata().target().starts_with("tongqu");
        if is_ours && *event.metadata().level() == Level::ERROR {
            let mut text = Text(String::new());
            event.record(&mut text);
            ERRORS.lock().unwrap().push(text.0);
        }
    }
}

struct Text(String);

impl Visit for Text {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        write!(self.0, "{}={value:?} ", field.name()).unwrap();
    }
}
