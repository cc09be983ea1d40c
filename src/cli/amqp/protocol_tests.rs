//! Which AMQP is spoken: words → plan, and words → message for each refusal.

use std::ffi::OsString;

use crate::cli::{Parsed, parse};
use crate::command::Command;
use crate::command::amqp::session::Speaks;
use crate::error::{Kind, Result};

fn read(line: &str) -> Result<Parsed> {
    parse(
        ["iotctl", "amqp"]
            .into_iter()
            .chain(line.split_whitespace())
            .map(OsString::from),
    )
}

fn speaks(line: &str) -> Speaks {
    match read(line) {
        Ok(Parsed::Command(Command::Amqp(crate::command::amqp::Command::Publish(plan)))) => {
            plan.session.protocol
        }
        Ok(Parsed::Command(Command::Amqp(crate::command::amqp::Command::Consume(plan)))) => {
            plan.session.protocol
        }
        Ok(Parsed::Command(Command::Amqp(crate::command::amqp::Command::Ping(plan)))) => {
            plan.session.protocol
        }
        Ok(Parsed::Command(Command::Amqp(crate::command::amqp::Command::Get(plan)))) => {
            plan.session.protocol
        }
        other => panic!("{line:?} gave {other:?}"),
    }
}

#[test]
fn three_commands_speak_both() {
    for command in ["publish -k q -m x", "consume q", "ping"] {
        assert_eq!(speaks(command), Speaks::Either);
        for (word, meant) in [
            ("0-9-1", Speaks::V091),
            ("1.0", Speaks::V10),
            ("auto", Speaks::Either),
        ] {
            assert_eq!(speaks(&format!("{command} --protocol {word}")), meant);
        }
    }
    assert_eq!(speaks("publish --address a -m x"), Speaks::V10);
    assert_eq!(speaks("consume --address a"), Speaks::V10);
}

#[test]
fn the_others_refuse_the_other() {
    assert_eq!(speaks("get q"), Speaks::V091);
    for command in [
        "get q",
        "request q -m x",
        "respond q",
        "tap e",
        "declare queue q",
        "declare exchange e",
        "delete queue q",
        "delete exchange e",
        "bind q -e e",
        "unbind q -e e",
        "purge q",
        "apply f",
    ] {
        let refused = read(&format!("{command} --protocol 1.0")).unwrap_err();
        assert_eq!(refused.kind(), Kind::Usage, "{command}");
        assert_eq!(
            refused.text(),
            "this command does not support --protocol 1.0",
            "{command}"
        );
    }
}

#[test]
fn an_address_stands_alone() {
    for (line, why) in [
        ("publish --address a -k q -m x", "cannot be used with"),
        ("publish --address a -e e -m x", "cannot be used with"),
        ("consume amqp://h q --address a", "cannot be used with"),
        (
            "publish --protocol 0-9-1 --address a -m x",
            "--address belongs to AMQP 1.0",
        ),
        ("publish --address= -m x", "--address is empty"),
    ] {
        let refused = read(line).unwrap_err();
        assert_eq!(refused.kind(), Kind::Usage, "{line}");
        assert!(refused.text().contains(why), "{line}: {refused}");
    }
}
