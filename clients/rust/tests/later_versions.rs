//! What a later worker may say is kept as it is, and passed on as it was.

use ocr_sidecar::protocol::{BatchOptions, ErrorCode, ErrorEvent, Event, InfoData, InfoEvent, Passwords};
use serde_json::{json, Value};

fn read(value: &Value) -> Event {
    serde_json::from_value(value.clone()).unwrap()
}

#[test]
fn an_event_of_an_unknown_type_or_kind_or_form_is_kept_whole() {
    let of_type = json!({ "type": "news", "seq": 1, "data": { "kind": "weather" } });
    let of_kind = json!({ "type": "info", "seq": 1, "data": { "kind": "weather", "sky": "blue" } });
    let of_form = json!({ "type": "progress", "seq": 1, "data": "half" });

    assert_eq!(read(&of_type), Event::Unknown(of_type));
    assert!(matches!(
        read(&of_kind),
        Event::Info(InfoEvent { data: InfoData::Unknown(data), .. }) if data == of_kind["data"]
    ));
    assert_eq!(read(&of_form), Event::Unknown(of_form));
}

#[test]
fn unknown_words_and_fields_are_written_as_they_were_read() {
    let data =
        json!({ "code": "moonlight", "message": "", "retryable": true, "details": {}, "hint": "wait" });
    let said = json!({ "type": "error", "seq": 1, "shade": 3, "data": data });

    let event = read(&said);

    assert!(matches!(
        &event,
        Event::Error(ErrorEvent { data, .. }) if data.code == ErrorCode::Unknown("moonlight".into())
    ));
    assert_eq!(serde_json::to_value(&event).unwrap(), said);
}

#[test]
fn an_option_that_no_worker_knows_is_refused_at_once() {
    assert!(serde_json::from_value::<BatchOptions>(json!({ "langauges": ["deu"] })).is_err());
}

#[test]
fn what_is_printed_of_options_holds_no_password() {
    let passwords = Passwords([("a.pdf".to_owned(), "secret".to_owned())].into());
    let options = BatchOptions {
        passwords: Some(passwords),
        ..BatchOptions::default()
    };

    let printed = format!("{options:?}");

    assert!(printed.contains("a.pdf"));
    assert!(!printed.contains("secret"));
}
