//! Whole answers: read from one vendor, shown in our shape, written for each.

use kernel::message::Reply;
use serde_json::Value;
use wire::{ReplyHead, WireError, anthropic, openai};

use crate::golden;

fn check(vendor: &str, read: impl Fn(&[u8]) -> Result<Reply, WireError>) {
    let folder = format!("replies/{vendor}");
    for (name, bytes) in golden::inputs(&folder, ".json") {
        let file = |to: &str| format!("{folder}/{name}.{to}.json");
        let reply = match read(&bytes) {
            Ok(reply) => reply,
            Err(why) => {
                golden::check(&file("neutral"), &why.into_fault());
                continue;
            }
        };
        golden::check(&file("neutral"), &reply);
        let tree = |text: String| serde_json::from_str::<Value>(&text).unwrap();
        let head = head_of(&reply);
        let to_anthropic = anthropic::write_reply(&reply, &head);
        let to_openai = openai::write_reply(&reply, &head);
        let again = match vendor {
            "anthropic" => read(to_anthropic.as_bytes()),
            _ => read(to_openai.as_bytes()),
        };
        assert_eq!(again.unwrap(), reply, "{name} read, written and read again");
        golden::check(&file("to-anthropic"), &tree(to_anthropic));
        golden::check(&file("to-openai"), &tree(to_openai));
    }
}

pub(crate) fn head_of(reply: &Reply) -> ReplyHead {
    ReplyHead {
        id: reply.id.clone().unwrap_or_default(),
        model: reply.model.clone().unwrap_or_default(),
        created_unix_s: 1_795_219_200,
    }
}

#[test]
fn anthropic_replies_are_read_and_written() {
    check("anthropic", anthropic::read_reply);
}

#[test]
fn openai_replies_are_read_and_written() {
    check("openai", openai::read_reply);
}
