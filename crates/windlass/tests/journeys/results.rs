//! Results with a shape: what fits is the run's output, what does not goes back.

use crate::place::{FINISHED, Place};

const AGENT: &str = "agent_id: shaped
model: script:script.yaml
system_prompt: You count.
allowed_tools: [end_task]
output_schema:
  type: object
  properties:
    total: {type: integer}
  required: [total]
  additionalProperties: false
";

#[test]
fn a_result_that_does_not_fit_goes_back_to_the_model() {
    let place = Place::new();
    place.write("agent.yaml", AGENT);
    place.write(
        "script.yaml",
        "turns:
  - tools: [{name: end_task, input: {result: {total: many}}}]
  - expect: integer
    tools: [{name: end_task, input: {result: {total: 7}}}]
",
    );
    let asked = ["run", "--agent", "agent.yaml", "count", "--json"];
    let ended = place.run(&asked).code(FINISHED);
    let result = ended.json().pop().expect("there is a result");
    assert_eq!(result["result"], serde_json::json!({"total": 7}), "{ended}");
    assert_eq!(result["turns"], 2, "{ended}");
    let shown = place.run(&["run", "--agent", "agent.yaml", "count"]).code(FINISHED);
    shown.says("✗ end_task").answers("{\n  \"total\": 7\n}");
}
