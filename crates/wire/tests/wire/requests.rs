//! Requests as clients send them, read and written for each vendor.

use serde_json::{Value, json};
use wire::openai::Dialect;
use wire::{Incoming, anthropic, openai};

use crate::golden;

fn tree(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

fn check(vendor: &str, read: impl Fn(&[u8]) -> Incoming) {
    let folder = format!("requests/{vendor}");
    for (name, bytes) in golden::inputs(&folder, ".json") {
        let Incoming { request, stream, include_usage } = read(&bytes);
        let to_anthropic = tree(&anthropic::write_request(&request, stream));
        let to_openai = tree(&openai::write_request(&request, stream));
        let compatible = openai::write_request_in(Dialect::Compatible, &request, stream);
        golden::check(&format!("{folder}/{name}.to-anthropic.json"), &to_anthropic);
        golden::check(&format!("{folder}/{name}.to-openai.json"), &to_openai);
        golden::check(&format!("{folder}/{name}.to-compatible.json"), &tree(&compatible));

        let sent: Value = serde_json::from_slice(&bytes).unwrap();
        assert_eq!(sent["stream"] == json!(true), stream, "{name}");
        match vendor {
            "anthropic" => {
                assert_eq!(same_anthropic(&to_anthropic), same_anthropic(&sent), "{name}")
            }
            _ => {
                assert_eq!(sent["stream_options"]["include_usage"] == json!(true), include_usage);
                assert_eq!(same_openai(&to_openai), same_openai(&sent), "{name}");
            }
        }
    }
}

#[test]
fn anthropic_requests_come_back_whole_and_reach_openai() {
    check("anthropic", |bytes| anthropic::read_request(bytes).unwrap());
}

#[test]
fn openai_requests_come_back_whole_and_reach_anthropic() {
    check("openai", |bytes| openai::read_request(bytes).unwrap());
}

/// One spelling for what may be spelled in several ways, and no marks of ours.
fn same_anthropic(request: &Value) -> Value {
    let mut same = request.clone();
    for message in same["messages"].as_array_mut().unwrap() {
        if let Value::String(text) = &message["content"] {
            message["content"] = json!([{"type": "text", "text": text}]);
        }
    }
    without_marks(&mut same);
    if let Some([one]) = same["system"].as_array().map(Vec::as_slice)
        && one.as_object().unwrap().len() == 2
    {
        same["system"] = one["text"].clone();
    }
    same
}

/// Removes plain marks, ours and the client's alike; goldens show where they stand.
pub(crate) fn without_marks(value: &mut Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(without_marks),
        Value::Object(fields) => {
            if fields.get("cache_control") == Some(&json!({"type": "ephemeral"})) {
                fields.shift_remove("cache_control");
            }
            fields.values_mut().for_each(without_marks);
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn same_openai(request: &Value) -> Value {
    let mut same = request.clone();
    let fields = same.as_object_mut().unwrap();
    if let Some(limit) = fields.shift_remove("max_tokens") {
        fields.insert("max_completion_tokens".to_owned(), limit);
    }
    fields.shift_remove("stream_options");
    if let Some(Value::String(one)) = fields.get("stop").cloned() {
        fields.insert("stop".to_owned(), json!([one]));
    }
    same
}

#[test]
fn a_request_that_is_wrong_says_where() {
    let cases = golden::path("requests/wrong.json");
    let cases: Vec<Value> = serde_json::from_slice(&std::fs::read(cases).unwrap()).unwrap();
    let told: Vec<Value> = cases
        .iter()
        .map(|case| {
            let body = crate::body_of(case);
            let read = match case["to"].as_str().unwrap() {
                "anthropic" => anthropic::read_request(body.as_bytes()),
                _ => openai::read_request(body.as_bytes()),
            };
            let fault = read.unwrap_err().into_fault();
            json!({"case": case["case"], "class": fault.class, "message": fault.message})
        })
        .collect();
    golden::check("requests/wrong.out.json", &told);
}
