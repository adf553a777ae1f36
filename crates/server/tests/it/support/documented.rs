//! Whether replies are what the OpenAPI document says: path, status, and the shape of the body.

use serde_json::Value;

use super::Reply;

/// A reply, as far as the document speaks of it.
pub struct Answer {
    method: String,
    path: String,
    status: u16,
    body: Option<Value>,
}

impl Answer {
    pub fn of(reply: &Reply) -> Self {
        let is_json = reply.header("content-type").starts_with("application/json");
        Self {
            method: reply.asked.0.to_lowercase(),
            path: reply
                .asked
                .1
                .split('?')
                .next()
                .unwrap_or_default()
                .to_owned(),
            status: reply.status,
            body: is_json.then(|| reply.json()),
        }
    }
}

/// Names everything in `answers` that the document doesn't describe.
///
/// Paths that no operation has are left aside: tests ask for them on purpose.
pub fn check(answers: &[Answer]) {
    let document = serde_json::to_value(tongqu::router::openapi()).unwrap();
    let mut faults: Vec<String> = answers
        .iter()
        .flat_map(|answer| faults(&document, answer))
        .collect();
    faults.sort();
    faults.dedup();
    assert_eq!(
        faults,
        Vec::<String>::new(),
        "replies that openapi.json doesn't describe"
    );
}

fn faults(document: &Value, answer: &Answer) -> Vec<String> {
    let Some(operation) = operation(document, answer) else {
        return Vec::new();
    };
    let name = format!(
        "{} {} {}",
        operation["operationId"], answer.method, answer.status
    );
    let Some(response) = operation["responses"].get(answer.status.to_string()) else {
        return vec![format!("{name}: the status isn't documented")];
    };
    let schema = &response["content"]["application/json"]["schema"];
    match &answer.body {
        Some(body) if !schema.is_null() => {
            let mut faults = Vec::new();
            compare(document, schema, body, &name, &mut faults);
            faults
        }
        Some(_) => vec![format!("{name}: a JSON body that isn't documented")],
        None if !schema.is_null() => vec![format!("{name}: the documented body is missing")],
        None => Vec::new(),
    }
}

/// The operation behind a path; of several templates the one with the fewest placeholders.
fn operation<'a>(document: &'a Value, answer: &Answer) -> Option<&'a Value> {
    let path = format!("/api/v1{}", answer.path);
    let asked: Vec<&str> = path.split('/').collect();
    let paths = document["paths"].as_object().unwrap();
    let fits = |template: &&String| {
        let parts: Vec<&str> = template.split('/').collect();
        parts.len() == asked.len()
            && parts
                .iter()
                .zip(&asked)
                .all(|(p, a)| p.starts_with('{') || p == a)
    };
    let template = paths
        .iter()
        .filter(|(template, operations)| fits(template) && operations.get(&answer.method).is_some())
        .min_by_key(|(template, _)| template.matches('{').count())?;
    template.1.get(&answer.method)
}

fn compare(document: &Value, schema: &Value, value: &Value, at: &str, faults: &mut Vec<String>) {
    if let Some(reference) = schema["$ref"].as_str() {
        let target = document
            .pointer(reference.trim_start_matches('#'))
            .expect("a reference leads somewhere");
        return compare(document, target, value, at, faults);
    }
    if let Some(parts) = schema["allOf"].as_array() {
        for part in parts {
            let mut inner = Vec::new();
            compare(document, part, value, at, &mut inner);
            // The other parts describe the other fields.
            faults.extend(
                inner
                    .into_iter()
                    .filter(|f| !f.ends_with("isn't documented")),
            );
        }
        return;
    }
    if let Some(choices) = schema["oneOf"].as_array() {
        let fits = choices.iter().any(|choice| {
            let mut inner = Vec::new();
            compare(document, choice, value, at, &mut inner);
            inner.is_empty()
        });
        if !fits {
            faults.push(format!("{at}: fits none of the documented shapes"));
        }
        return;
    }
    if !has_type(schema, value) {
        faults.push(format!(
            "{at}: {} instead of {}",
            kind(value),
            schema["type"]
        ));
        return;
    }
    if schema["enum"]
        .as_array()
        .is_some_and(|values| !values.contains(value))
    {
        faults.push(format!("{at}: a value outside the documented ones"));
    }
    match value {
        Value::Object(fields) => compare_fields(document, schema, fields, at, faults),
        Value::Array(items) => {
            for item in items {
                compare(document, &schema["items"], item, &format!("{at}[]"), faults);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn compare_fields(
    document: &Value,
    schema: &Value,
    fields: &serde_json::Map<String, Value>,
    at: &str,
    faults: &mut Vec<String>,
) {
    for required in schema["required"]
        .as_array()
        .map(Vec::as_slice)
        .unwrap_or_default()
    {
        if !fields.contains_key(required.as_str().unwrap()) {
            faults.push(format!("{at}: the field {required} is missing"));
        }
    }
    for (name, field) in fields {
        let at = format!("{at}.{name}");
        match (
            schema["properties"].get(name),
            schema.get("additionalProperties"),
        ) {
            (Some(property), _) => compare(document, property, field, &at, faults),
            (None, Some(rest)) => compare(document, rest, field, &at, faults),
            (None, None) => faults.push(format!("{at}: isn't documented")),
        }
    }
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(n) if n.is_i64() || n.is_u64() => "integer",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

fn has_type(schema: &Value, value: &Value) -> bool {
    let is = |name: &Value| name == kind(value) || (name == "number" && kind(value) == "integer");
    match &schema["type"] {
        Value::Null => true,
        Value::Array(names) => names.iter().any(is),
        name => is(name),
    }
}
