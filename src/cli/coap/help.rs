//! The worked examples of the CoAP commands.

use crate::cli::help::Example;

const GET: &[Example] = &[
    (
        "What a resource holds",
        "iotctl coap get coap://device.example/temperature",
    ),
    (
        "The request and the response with their options",
        "iotctl coap get -v 'coap://device.example/log?n=10'",
    ),
    (
        "A JSON record, over DTLS with a pre-shared key",
        "iotctl coap get coaps://device.example/state --psk-identity me --psk-file key --output json",
    ),
    (
        "Only if it has changed since the last time",
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
        "Send a file of any size, in blocks of 256 bytes",
        "iotctl coap put coap://device.example/firmware -f firmware.bin --block 256",
    ),
    (
        "CBOR, in its diagnostic notation",
        "iotctl coap put coap://device.example/config --cbor '{\"rate\": 5}'",
    ),
    (
        "JSON, only if nobody changed it meanwhile",
        "iotctl coap put coap://device.example/config -t json -m '{\"rate\":5}' --if-match=0x2a",
    ),
];

const LARGE: Example = (
    "A large body, which the same command goes on with when it was interrupted",
    "iotctl coap get coap://device.example/firmware -o firmware.bin --resume",
);

const DECODED: Example = (
    "CBOR, SenML, JSON or link-format for people",
    "iotctl coap get coap://device.example/measurements --decode",
);

const VIA: Example = (
    "By way of a proxy",
    "iotctl coap get --proxy coap://gateway.example coap://device.example/temperature",
);

const PROTECTED: Example = (
    "Protected from end to end, whatever lies between",
    "iotctl coap get coap://device.example/state --oscore-secret-file secret --oscore-sender-id 0x01 --oscore-recipient-id 0x02",
);

const POST: &[Example] = &[
    (
        "Set something off",
        "iotctl coap post coap://device.example/reboot",
    ),
    (
        "Hand over what a program says",
        "date | iotctl coap post coap://device.example/log -s",
    ),
];

const DELETE: &[Example] = &[(
    "Remove a resource",
    "iotctl coap delete coap://device.example/store/1",
)];

const FETCH: &[Example] = &[(
    "A part of a resource",
    "iotctl coap fetch coap://device.example/config -t json -m '[\"rate\"]'",
)];

const PATCH: &[Example] = &[(
    "Change a part of a resource",
    "iotctl coap patch coap://device.example/config -t merge-patch -m '{\"rate\":5}'",
)];

const IPATCH: &[Example] = &[(
    "Change a part of a resource, as often as one likes",
    "iotctl coap ipatch coap://device.example/config -t merge-patch -m '{\"rate\":5}'",
)];

const OBSERVE: &[Example] = &[
    (
        "Every change",
        "iotctl coap observe coap://device.example/temperature",
    ),
    (
        "Three of them, as JSON, within a minute",
        "iotctl coap observe coap://device.example/temperature -C 3 -W 1m --output json",
    ),
    (
        "Until it is warm",
        "iotctl coap observe coap://device.example/state --until '/temp > 20' -W 1h",
    ),
    (
        "A command for each change",
        "iotctl coap observe coap://device.example/door --exec notify-send Door",
    ),
    (
        "For good, whatever becomes of the network or the server",
        "iotctl coap observe coap://device.example/temperature --keep-alive 1m --retry forever",
    ),
];

const DISCOVER: &[Example] = &[
    (
        "The resources of a server",
        "iotctl coap discover coap://device.example",
    ),
    (
        "Those that can be observed, as JSON",
        "iotctl coap discover coap://device.example --obs --output json",
    ),
    (
        "With the lists that its links name, as a tree",
        "iotctl coap discover coap://device.example --recursive --output tree",
    ),
    (
        "All servers in this network",
        "iotctl coap discover coap://224.0.1.187",
    ),
];

const RD_REGISTER: &[Example] = &[
    (
        "Register two resources for an hour; the registration's URI is printed",
        "iotctl coap rd register coap://rd.example --ep node-1 --lifetime 1h -m '</temp>;rt=temperature;obs,</led>'",
    ),
    (
        "Register what a device says of itself",
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
    "For one more hour",
    "iotctl coap rd update coap://rd.example/reg/1/ --lifetime 1h",
)];

const RD_REMOVE: &[Example] = &[(
    "Take a registration away",
    "iotctl coap rd remove coap://rd.example/reg/1/",
)];

const RD_LOOKUP: &[Example] = &[
    (
        "All that measures temperatures",
        "iotctl coap rd lookup res coap://rd.example --filter rt=temperature --output paths",
    ),
    (
        "All endpoints, as JSON",
        "iotctl coap rd lookup ep coap://rd.example --output json",
    ),
];

const PING: &[Example] = &[
    ("Four round trips", "iotctl coap ping coap://device.example"),
    (
        "A health check",
        "iotctl coap ping coaps://device.example --psk-identity me --psk-file key -C 1 -W 2",
    ),
];

const SERVER: &[Example] = &[
    (
        "A counter, a clock, a sensor and a store",
        "iotctl coap server",
    ),
    (
        "A resource of one's own on a free port, over UDP and TCP; the first lines say which",
        "iotctl coap server -r /temp=text:21.5 --listen 127.0.0.1:0 --listen coap+tcp://127.0.0.1:0",
    ),
    (
        "A directory for firmware updates, with a network that loses one datagram in ten",
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
