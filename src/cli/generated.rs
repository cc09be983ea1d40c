//! Completions and man pages as they are checked in; a test compares them with the flags.

use clap::ValueEnum;

/// The shells that there are completions for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Shell {
    Bash,
    Zsh,
    Fish,
    Elvish,
    Powershell,
}

impl Shell {
    pub(super) const fn completions(self) -> &'static str {
        match self {
            Self::Bash => include_str!("../../completions/iotctl.bash"),
            Self::Zsh => include_str!("../../completions/_iotctl"),
            Self::Fish => include_str!("../../completions/iotctl.fish"),
            Self::Elvish => include_str!("../../completions/iotctl.elv"),
            Self::Powershell => include_str!("../../completions/_iotctl.ps1"),
        }
    }
}

/// Each man page by its command's words, joined as in its file name.
const PAGES: [(&str, &str); 41] = [
    ("iotctl", include_str!("../../man/iotctl.1")),
    ("mqtt", include_str!("../../man/iotctl-mqtt.1")),
    ("mqtt-pub", include_str!("../../man/iotctl-mqtt-pub.1")),
    ("mqtt-sub", include_str!("../../man/iotctl-mqtt-sub.1")),
    (
        "mqtt-broker",
        include_str!("../../man/iotctl-mqtt-broker.1"),
    ),
    ("coap", include_str!("../../man/iotctl-coap.1")),
    ("coap-get", include_str!("../../man/iotctl-coap-get.1")),
    ("coap-put", include_str!("../../man/iotctl-coap-put.1")),
    ("coap-post", include_str!("../../man/iotctl-coap-post.1")),
    (
        "coap-delete",
        include_str!("../../man/iotctl-coap-delete.1"),
    ),
    ("coap-fetch", include_str!("../../man/iotctl-coap-fetch.1")),
    ("coap-patch", include_str!("../../man/iotctl-coap-patch.1")),
    (
        "coap-ipatch",
        include_str!("../../man/iotctl-coap-ipatch.1"),
    ),
    (
        "coap-observe",
        include_str!("../../man/iotctl-coap-observe.1"),
    ),
    (
        "coap-discover",
        include_str!("../../man/iotctl-coap-discover.1"),
    ),
    ("coap-ping", include_str!("../../man/iotctl-coap-ping.1")),
    (
        "coap-server",
        include_str!("../../man/iotctl-coap-server.1"),
    ),
    ("bench", include_str!("../../man/iotctl-bench.1")),
    ("bench-mqtt", include_str!("../../man/iotctl-bench-mqtt.1")),
    ("bench-run", include_str!("../../man/iotctl-bench-run.1")),
    (
        "bench-report",
        include_str!("../../man/iotctl-bench-report.1"),
    ),
    (
        "bench-compare",
        include_str!("../../man/iotctl-bench-compare.1"),
    ),
    (
        "bench-merge",
        include_str!("../../man/iotctl-bench-merge.1"),
    ),
    ("amqp", include_str!("../../man/iotctl-amqp.1")),
    (
        "amqp-publish",
        include_str!("../../man/iotctl-amqp-publish.1"),
    ),
    (
        "amqp-consume",
        include_str!("../../man/iotctl-amqp-consume.1"),
    ),
    ("amqp-get", include_str!("../../man/iotctl-amqp-get.1")),
    (
        "amqp-request",
        include_str!("../../man/iotctl-amqp-request.1"),
    ),
    (
        "amqp-respond",
        include_str!("../../man/iotctl-amqp-respond.1"),
    ),
    (
        "amqp-declare",
        include_str!("../../man/iotctl-amqp-declare.1"),
    ),
    (
        "amqp-declare-queue",
        include_str!("../../man/iotctl-amqp-declare-queue.1"),
    ),
    (
        "amqp-declare-exchange",
        include_str!("../../man/iotctl-amqp-declare-exchange.1"),
    ),
    (
        "amqp-delete",
        include_str!("../../man/iotctl-amqp-delete.1"),
    ),
    (
        "amqp-delete-queue",
        include_str!("../../man/iotctl-amqp-delete-queue.1"),
    ),
    (
        "amqp-delete-exchange",
        include_str!("../../man/iotctl-amqp-delete-exchange.1"),
    ),
    ("amqp-bind", include_str!("../../man/iotctl-amqp-bind.1")),
    (
        "amqp-unbind",
        include_str!("../../man/iotctl-amqp-unbind.1"),
    ),
    ("amqp-purge", include_str!("../../man/iotctl-amqp-purge.1")),
    ("amqp-ping", include_str!("../../man/iotctl-amqp-ping.1")),
    (
        "completions",
        include_str!("../../man/iotctl-completions.1"),
    ),
    ("man", include_str!("../../man/iotctl-man.1")),
];

/// The names of all man pages.
pub(super) fn page_names() -> [&'static str; PAGES.len()] {
    PAGES.map(|(name, _)| name)
}

/// The man page called `name`, with or without `iotctl-` in front.
pub(super) fn page(name: &str) -> Option<&'static str> {
    let name = name.strip_prefix("iotctl-").unwrap_or(name);
    PAGES
        .iter()
        .find(|(known, _)| *known == name)
        .map(|(_, page)| *page)
}
