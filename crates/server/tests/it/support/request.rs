//! Requests, with what a test doesn't care about filled in.

use serde_json::{Value, json};

/// A request for the key and the name of an entry in its first version.
pub fn a_request(entry_id: &str) -> Value {
    json!({
        "entry_id": entry_id,
        "version_no": 1,
        "mode": "table",
        "columns": ["code", "name"],
        "condition": [],
        "purpose_kind": "admin_basis",
        "purpose": "核对最低生活保障对象的所在村",
        "duty": "社会救助审核确认",
        "consumer_system": "社会救助系统",
        "undertaken": true,
    })
}

/// A request for code, name and phone of the villages of province 41.
pub fn villages_of_41(entry_id: &str) -> Value {
    let mut request = a_request(entry_id);
    request["columns"] = json!(["code", "name", "phone"]);
    request["condition"] = json!([{ "column": "code", "op": "prefix", "values": ["41"] }]);
    request
}
