//! The worked examples of the CoAP commands.

use crate::cli::help::Example;

const GET: &[Example] = &[
    (
        "Read a resource",
        "iotctl coap get coap://device.example/temperature",
    ),
    (
        "Show the request and the response with their options",
        "iotctl coap get -v 'coap://device.example/log?n=10'",
    ),
    (
        "Print a JSON record, over DTLS with a pre-shared key",
        "iotctl coap get coaps://device.example/state --psk-identity me --psk-file key --output json",
    ),
    (
        "Fetch only if changed since the last time",
        "iotctl coap get coap://device.example/firmware --etag-file firmware.etag > firmware.bin",
    ),
    LARGE,
    DECODED,
    VIA,
    PROTECTED,
];

const PUT: &[Example] = &[
    (
        "Set a value",
        "iotctl coap put coap://device.example/led -m on",
    ),
    (
        "Upload a file in blocks of 256 bytes",
        "iotctl coap put coap://device.example/firmware -f firmware.bin --block 256",
    ),
    (
        "Send CBOR written in diagnostic notation",
        "iotctl coap put coap://device.example/config --cbor '{\"rate\": 5}'",
    ),
    (
        "Send JSON, only if the resource was not changed in the meantime",
        "iotctl coap put coap://device.example/config -t json -m '{\"rate\":5}' --if-match=0x2a",
    ),
];

const LARGE: Example = (
    "Download a large body; rerun the command to resume it",
    "iotctl coap get coap://device.example/firmware -o firmware.bin --resume",
);

const DECODED: Example = (
    "Decode CBOR, SenML, JSON or link-format",
    "iotctl coap get coap://device.example/measurements --decode",
);

const VIA: Example = (
    "Send the request through a proxy",
    "iotctl coap get --proxy coap://gateway.example coap://device.example/temperature",
);

const PROTECTED: Example = (
    "Protect the exchange end to end with OSCORE",
    "iotctl coap get coap://device.example/state --oscore-secret-file secret --oscore-sender-id 0x01 --oscore-recipient-id 0x02",
);

const POST: &[Example] = &[
    (
        "Trigger an action",
        "iotctl coap post coap://device.example/reboot",
    ),
    (
        "Send the output of a program",
        "date | iotctl coap post coap://device.example/log -s",
    ),
];

const DELETE: &[Example] = &[(
    "Delete a resource",
    "iotctl coap delete coap://device.example/store/1",
)];

const FETCH: &[Example] = &[(
    "Read part of a resource",
    "iotctl coap fetch coap://device.example/config -t json -m '[\"rate\"]'",
)];

const PATCH: &[Example] = &[(
    "Change part of a resource",
    "iotctl coap patch coap://device.example/config -t merge-patch -m '{\"rate\":5}'",
)];

const IPATCH: &[Example] = &[(
    "Change part of a resource idempotently",
    "iotctl coap ipatch coap://device.example/config -t merge-patch -m '{\"rate\":5}'",
)];

const OBSERVE: &[Example] = &[
    (
        "Show every change",
        "iotctl coap observe coap://device.example/temperature",
    ),
    (
        "Show three notifications as JSON, within a minute",
        "iotctl coap observe coap://device.example/temperature -C 3 -W 1m --output json",
    ),
    (
        "Wait for a value",
        "iotctl coap observe coap://device.example/state --until '/temp > 20' -W 1h",
    ),
    (
        "Run a command for each change",
        "iotctl coap observe coap://device.example/door --exec notify-send Door",
    ),
    (
        "Observe forever, across network and server outages",
        "iotctl coap observe coap://device.example/temperature --keep-alive 1m --retry forever",
    ),
];

const DISCOVER: &[Example] = &[
    (
        "List the resources of a server",
        "iotctl coap discover coap://device.example",
    ),
    (
        "List observable resources as JSON",
        "iotctl coap discover coap://device.example --obs --output json",
    ),
    (
        "Follow linked lists, and show a tree",
        "iotctl coap discover coap://device.example --recursive --output tree",
    ),
    (
        "Find all servers on this network",
        "iotctl coap discover coap://224.0.1.187",
    ),
];

const RD_REGISTER: &[Example] = &[
    (
        "Register two resources for an hour, and print the URI of the registration",
        "iotctl coap rd register coap://rd.example --ep node-1 --lifetime 1h -m '</temp>;rt=temperature;obs,</led>'",
    ),
    (
        "Register the resources that a device advertises",
        "iotctl coap rd register coap://rd.example --ep node-1 --links-of coap://device.example",
    ),
    (
        "Stay registered, with an update every 45 seconds, until Ctrl-C",
        "iotctl coap rd register coap://rd.example --ep node-1 --lifetime 1m --keep -m '</temp>;rt=temperature'",
    ),
    (
        "Let the directory fetch the links itself",
        "iotctl coap rd register coap://rd.example --ep node-1 --simple -m '</temp>;rt=temperature'",
    ),
];

const RD_UPDATE: &[Example] = &[(
    "Extend a registration by an hour",
    "iotctl coap rd update coap://rd.example/reg/1/ --lifetime 1h",
)];

const RD_REMOVE: &[Example] = &[(
    "Remove a registration",
    "iotctl coap rd remove coap://rd.example/reg/1/",
)];

const RD_LOOKUP: &[Example] = &[
    (
        "Find all temperature resources",
        "iotctl coap rd lookup res coap://rd.example --filter rt=temperature --output paths",
    ),
    (
        "List all endpoints as JSON",
        "iotctl coap rd lookup ep coap://rd.example --output json",
    ),
];

const PING: &[Example] = &[
    (
        "Measure four round trips",
        "iotctl coap ping coap://device.example",
    ),
    (
        "Check the health of a server",
        "iotctl coap ping coaps://device.example --psk-identity me --psk-file key -C 1 -W 2",
    ),
];

const SERVER: &[Example] = &[
    (
        "Serve a counter, a clock, a sensor and a store",
        "iotctl coap server",
    ),
    (
        "Serve a resource on a free port, printed on the first lines, over UDP and TCP",
        "iotctl coap server -r /temp=text:21.5 --listen 127.0.0.1:0 --listen coap+tcp://127.0.0.1:0",
    ),
    (
        "Serve a directory of firmware updates over a network that loses 10% of all datagrams",
        "iotctl coap server -d firmware --fault drop:percent=10",
    ),
];

/// Of a command, by its words: `coap get`.
pub(crate) fn examples(command: &str) -> &'static [Example] {
    match command {
        "coap get" => GET,
        "coap put" => PUT,
        "coap post" => POST,
        "coap delete" => DELETE,
        "coap fetch" => FETCH,
        "coap patch" => PATCH,
        "coap ipatch" => IPATCH,
        "coap observe" => OBSERVE,
        "coap discover" => DISCOVER,
        "coap rd register" => RD_REGISTER,
        "coap rd update" => RD_UPDATE,
        "coap rd remove" => RD_REMOVE,
        "coap rd lookup" => RD_LOOKUP,
        "coap ping" => PING,
        "coap server" => SERVER,
        _ => &[],
    }
}
