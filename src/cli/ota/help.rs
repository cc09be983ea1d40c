//! The examples of `ota`.

use crate::cli::help::Example;

/// The examples of one command of `ota`, by its words after `iotctl`.
pub(crate) fn examples(command: &str) -> &'static [Example] {
    match command {
        "ota keygen" => KEYGEN,
        "ota sign" => SIGN,
        "ota delta" => DELTA,
        "ota inspect" => INSPECT,
        "ota verify" => VERIFY,
        "ota agent" => AGENT,
        "ota serve" => SERVE,
        "ota publish" => PUBLISH,
        "ota rollout" => ROLLOUT,
        "ota status" => STATUS,
        _ => &[],
    }
}

const KEYGEN: &[Example] = &[(
    "Make release.pem, which signs, and release.pub.pem, which devices trust",
    "iotctl ota keygen release.pem",
)];

const SIGN: &[Example] = &[
    (
        "Sign an image for a class of devices",
        "iotctl ota sign sensor.bin --key release.pem --version 1.4.0+7 --vendor example.com --class sensor-rev-b -o updates",
    ),
    (
        "With a patch for devices that run the version before",
        "iotctl ota sign sensor.bin --key release.pem --version 1.5.0 --vendor example.com --class sensor-rev-b -o updates \\\n    --delta-from updates/sensor-1.4.0+7.bin",
    ),
    (
        "As an MCUboot image that fits into a slot, with a counter that protects against going back",
        "iotctl ota sign sensor.bin --key release.pem --version 1.4.0+7 --vendor example.com --class sensor-rev-b \\\n    --mcuboot --slot-size 448KiB --counter auto -o updates",
    ),
];

const DELTA: &[Example] = &[
    (
        "A patch from one image to another",
        "iotctl ota delta sensor-1.4.bin sensor-1.5.bin -o sensor.patch",
    ),
    (
        "What a patch makes of an image",
        "iotctl ota delta sensor-1.4.bin sensor.patch --apply -o sensor-1.5.bin",
    ),
];

const INSPECT: &[Example] = &[(
    "What a manifest says, command by command",
    "iotctl ota inspect updates/sensor-1.4.0+7.suit",
)];

const VERIFY: &[Example] = &[(
    "Whether a device of this class would take an update",
    "iotctl ota verify updates/sensor-1.4.0+7.suit --trust release.pub.pem --vendor example.com --class sensor-rev-b \\\n    --payload updates/sensor-1.4.0+7.bin",
)];

const AGENT: &[Example] = &[
    (
        "A device that waits for updates, and whose boot loader is U-Boot",
        "iotctl ota agent mqtt://broker.example --device sensor-17 --slots /var/lib/ota --slot-a /dev/mmcblk0p2 --slot-b /dev/mmcblk0p3 \\\n    --trust release.pub.pem --vendor example.com --class sensor-rev-b --booted \"$(fw_printenv -n slot)\" \\\n    --install 'fw_setenv slot $IOTCTL_OTA_SLOT' --reboot reboot --health /usr/bin/selftest",
    ),
    (
        "A device on this machine, to try an update out",
        "iotctl ota agent --device d1 --slots d1 --trust release.pub.pem --vendor example.com --class sensor-rev-b",
    ),
    (
        "A device that is told of updates over CoAP, as devices of RIOT are",
        "iotctl ota agent --listen 0.0.0.0:5683 --device d1 --slots d1 --trust release.pub.pem --vendor example.com --class sensor-rev-b",
    ),
];

const SERVE: &[Example] = &[
    (
        "Serve what ota sign has made",
        "iotctl ota serve updates mqtt://broker.example",
    ),
    (
        "To devices that fetch over CoAP",
        "iotctl ota serve updates --coap 0.0.0.0:5683",
    ),
];

const PUBLISH: &[Example] = &[
    (
        "Offer the newest update in a directory to a group of devices",
        "iotctl ota publish mqtt://broker.example --manifest updates --to group:lab",
    ),
    (
        "Take it back, for those that have not begun",
        "iotctl ota publish mqtt://broker.example --remove --to group:lab",
    ),
    (
        "Tell a device of RIOT to fetch an update",
        "iotctl ota publish --manifest coap://files.example/sensor-1.4.0+7.suit --trigger coap://sensor-17.example/suit/trigger",
    ),
];

const STATUS: &[Example] = &[
    (
        "Which device is how far",
        "iotctl ota status mqtt://broker.example",
    ),
    (
        "Ask devices themselves, over CoAP",
        "iotctl ota status coap://sensor-17.example coap://sensor-18.example",
    ),
    (
        "Wait until all are updated or one is not",
        "iotctl ota status mqtt://broker.example --until 'updated == 1000' --until 'rolled-back > 0' --timeout 1h",
    ),
    (
        "Only with this version, where devices were updated before",
        "iotctl ota status mqtt://broker.example --until 'updated == 1000' --version 1.4.0+7",
    ),
];

/// What the file of a rollout looks like.
pub(crate) const PLAN: &str = r#"name = "1.4.0"
manifest = "updates/sensor-1.4.0+7.suit"
# Devices by name, of a group or class, or a part of them; otherwise all that have reported.
group = "lab"
class = "sensor-rev-b"
# A device that takes longer has failed; it is offered the update again this often before.
timeout = "30m"
retries = 1
# At most so many offers in so much time, doubled after each 100 updates, at these hours (UTC).
rate = "50/m"
double-after = 100
window = "01:00-05:00"
# One stage after the other; each counts the devices of those before.
[[stage]]
devices = 5
soak = "1h"
[[stage]]
percent = 100
success = 90
failures = "3%"
"#;

const ROLLOUT: &[Example] = &[
    (
        "Five devices first, and all others when these are well for an hour",
        "cat > plan.toml <<'END'\nname = \"1.4.0\"\nmanifest = \"updates/sensor-1.4.0+7.suit\"\n[[stage]]\ndevices = 5\nsoak = \"1h\"\n[[stage]]\npercent = 100\nfailures = \"3%\"\nEND\niotctl ota rollout plan.toml mqtt://broker.example",
    ),
    (
        "Go on after a crash",
        "iotctl ota rollout plan.toml mqtt://broker.example --resume",
    ),
];
