//! The examples of `ota`.

use crate::cli::help::Example;

pub(crate) const KEYGEN: &[Example] = &[(
    "Make release.pem, which signs, and release.pub.pem, which devices trust",
    "iotctl ota keygen release.pem",
)];

pub(crate) const SIGN: &[Example] = &[
    (
        "Sign an image for a class of devices",
        "iotctl ota sign sensor.bin --key release.pem --version 1.4.0+7 --vendor example.com --class sensor-rev-b -o updates",
    ),
    (
        "As a MCUboot image that fits into a slot, with a counter that protects against going back",
        "iotctl ota sign sensor.bin --key release.pem --version 1.4.0+7 --vendor example.com --class sensor-rev-b \\\n    --mcuboot --slot-size 448KiB --counter auto -o updates",
    ),
];

pub(crate) const INSPECT: &[Example] = &[(
    "What a manifest says, command by command",
    "iotctl ota inspect updates/sensor-1.4.0+7.suit",
)];

pub(crate) const VERIFY: &[Example] = &[(
    "Whether a device of this class would take an update",
    "iotctl ota verify updates/sensor-1.4.0+7.suit --trust release.pub.pem --vendor example.com --class sensor-rev-b \\\n    --payload updates/sensor-1.4.0+7.bin",
)];
