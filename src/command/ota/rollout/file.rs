//! The file of a rollout, as it is written.

use std::fmt::Display;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use toml::Value;

use crate::coap::uri::Uri;
use crate::command::ota::{read, refused};
use crate::connect::without_credentials;
use crate::error::{Error, Result};
use crate::file;
use crate::firmware::rollout::{Plan, Seconds, Share, Stage};
use crate::firmware::suit::Envelope;
use crate::firmware::wire::is_name;

/// More devices than one rollout has.
const MOST_DEVICES: usize = 100_000;

/// The whole file.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct File {
    /// Of the rollout; its lock is known by it.
    name: String,
    /// Relative to this file; or where devices fetch it over CoAP.
    manifest: PathBuf,
    /// Their names, or where they are told over CoAP; otherwise those that have reported.
    devices: Option<Vec<String>>,
    /// Only devices of this group.
    group: Option<String>,
    /// Only devices of this class.
    class: Option<String>,
    /// Only this part of them, always the same ones.
    percent: Option<Value>,
    /// A device that takes longer has failed.
    #[serde(default = "half_an_hour")]
    timeout: String,
    /// How often it is offered again.
    retries: Option<Value>,
    /// `50/m`
    rate: Option<String>,
    /// Twice as many after each of so many that are updated.
    double_after: Option<usize>,
    /// `01:00-05:00`, UTC
    window: Option<String>,
    /// One after the other.
    #[serde(default)]
    stage: Vec<StageTable>,
}

fn half_an_hour() -> String {
    String::from("30m")
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct StageTable {
    /// So many devices, with those of the stages before.
    devices: Option<Value>,
    /// Or so many of a hundred.
    percent: Option<Value>,
    /// Percent of them that must be updated.
    success: Option<Value>,
    /// How many may fail: a number, or `"3%"`.
    failures: Option<Value>,
    /// To wait after it.
    soak: Option<String>,
}

/// A whole number in this range.
fn number<T: TryFrom<i64> + Copy + PartialOrd + Display>(
    given: &Value,
    name: &str,
    range: RangeInclusive<T>,
) -> Judged<T> {
    let number = given.as_integer().and_then(|it| T::try_from(it).ok());
    let (least, most) = (*range.start(), *range.end());
    number
        .filter(|number| range.contains(number))
        .ok_or_else(|| format!("{name} must be a whole number from {least} to {most}"))
}

/// What a file asks for.
#[derive(Clone, Debug)]
pub(super) struct Asked {
    pub(super) name: String,
    pub(super) manifest: Vec<u8>,
    pub(super) version: String,
    /// None: those that have reported.
    pub(super) devices: Vec<String>,
    pub(super) group: Option<String>,
    pub(super) class: Option<String>,
    pub(super) percent: Option<u8>,
    pub(super) plan: Plan,
}

/// A file that is well-formed.
#[derive(Clone, Debug)]
pub(super) struct Written {
    table: File,
    path: PathBuf,
}

impl Written {
    /// Reads a file.
    pub(super) fn read(path: &Path) -> Result<Self> {
        let text = file::read_text(path, file::SMALL)?;
        let table: File = toml::from_str(&text).map_err(|cause| {
            let at = cause.span().map_or(0, |span| span.start.min(text.len()));
            file::mistaken(path, &text, at, file::mistake(&cause))
        })?;
        let path = path.to_owned();
        Ok(Self { table, path })
    }

    /// Whether its devices are told themselves.
    pub(super) fn is_over_coap(&self) -> bool {
        self.devices().iter().any(|it| is_url(it))
    }

    /// As they are written.
    pub(super) fn devices(&self) -> &[String] {
        self.table.devices.as_deref().unwrap_or_default()
    }

    /// Where devices that are told themselves fetch the manifest.
    pub(super) fn url(&self) -> Result<&str> {
        self.table.check().map_err(|why| self.wrong(&why))?;
        let url = self.table.manifest.to_str();
        let url = url.filter(|url| Uri::is_absolute(url) && Uri::parse(url).is_ok());
        let why = "manifest: devices that are told over CoAP fetch it from a URL, coap://HOST/PATH";
        url.ok_or_else(|| self.wrong(why))
    }

    /// Judges it, and the manifest that it names.
    pub(super) fn judged(self) -> Result<Asked> {
        if self.table.manifest.to_str().is_some_and(is_url) {
            let why = "manifest: a URL is for devices that are told over CoAP, such as devices = [\"coap://HOST\"]";
            return Err(self.wrong(why));
        }
        let folder = self.path.parent().unwrap_or_else(|| Path::new(""));
        let path = folder.join(&self.table.manifest);
        let manifest = read(&path)?;
        let name = path.display().to_string();
        self.judged_with(manifest, &name)
    }

    /// The same with the manifest, which came from `name`.
    pub(super) fn judged_with(self, manifest: Vec<u8>, name: &str) -> Result<Asked> {
        let judged = Envelope::split(&manifest).and_then(|it| it.unverified());
        let judged = judged.map_err(|why| refused(name, &why))?;
        let percent = self.table.percent.as_ref();
        let percent = percent.map(|it| number(it, "percent", 1..=100)).transpose();
        let percent = percent.map_err(|why| self.wrong(&why))?;
        let plan = self.table.plan(judged.sequence_number);
        let mut plan = plan.map_err(|why| self.wrong(&why))?;
        plan.images = judged.images();
        let version = judged.about.version.unwrap_or_default();
        self.table.check().map_err(|why| self.wrong(&why))?;
        let table = self.table;
        Ok(Asked {
            name: table.name,
            manifest,
            version,
            devices: table.devices.unwrap_or_default(),
            group: table.group,
            class: table.class,
            percent,
            plan,
        })
    }

    fn wrong(&self, why: &str) -> Error {
        Error::usage(format!("{}: {why}", self.path.display()))
    }
}

/// Whether it is meant as a URL.
fn is_url(text: &str) -> bool {
    text.contains("://")
}

/// Where a device can be told of an update, `coap://HOST[:PORT]`.
fn is_place(text: &str) -> bool {
    Uri::is_absolute(text)
        && Uri::parse(text).is_ok_and(|uri| uri.path.is_empty() && uri.query.is_empty())
}

type Judged<T> = std::result::Result<T, String>;

impl File {
    fn check(&self) -> Judged<()> {
        if !is_name(&self.name) {
            return Err(format!(
                "name {:?}: expected a name without / + # and $",
                self.name
            ));
        }
        let devices = self.devices.as_deref().unwrap_or_default();
        if self.devices.is_some() && devices.is_empty() {
            return Err(String::from(
                "devices is empty; leave it out for all devices that have reported",
            ));
        }
        let over_coap = devices.iter().any(|device| is_url(device));
        let is_good = |device: &str| match over_coap {
            true => is_place(device),
            false => is_name(device),
        };
        if let Some(device) = devices.iter().find(|device| !is_good(device)) {
            let device = without_credentials(device);
            return Err(match over_coap {
                true => format!(
                    "devices: {device:?}: expected coap://HOST, for all devices or for none"
                ),
                false => format!("devices: {device:?} is no name of a device"),
            });
        }
        let mut sorted: Vec<&String> = devices.iter().collect();
        sorted.sort();
        if let Some(twice) = sorted.windows(2).find(|pair| pair[0] == pair[1]) {
            return Err(format!("devices: {} occurs twice", twice[0]));
        }
        if devices.len() > MOST_DEVICES {
            return Err(format!("devices: more than {MOST_DEVICES}"));
        }
        if let Some(class) = self.class.as_deref().filter(|it| it.is_empty()) {
            return Err(format!(
                "class {class:?}: expected the name of a class, or its UUID"
            ));
        }
        Ok(())
    }

    fn plan(&self, sequence: u64) -> Judged<Plan> {
        if self.stage.is_empty() {
            return Err(String::from("there is no [[stage]]"));
        }
        let stages = self.stage.iter().enumerate();
        let stages = stages.map(|(at, stage)| {
            stage
                .stage()
                .map_err(|why| format!("stage {}: {why}", at + 1))
        });
        let stages = stages.collect::<Judged<Vec<_>>>()?;
        if let Some(at) = shrinks(&stages) {
            return Err(format!(
                "stage {at}: it has fewer devices than a stage before, whose devices count too"
            ));
        }
        let timeout = seconds("timeout", &self.timeout)?;
        if timeout == 0 {
            return Err(format!(
                "timeout {:?}: it must be at least 1s",
                self.timeout
            ));
        }
        let double_after = match (self.double_after, &self.rate) {
            (Some(0), _) => return Err(String::from("double-after must be at least 1")),
            (Some(_), None) => return Err(String::from("double-after needs a rate")),
            (after, _) => after.unwrap_or(0),
        };
        Ok(Plan {
            sequence,
            images: Vec::new(),
            stages,
            timeout,
            retries: match &self.retries {
                Some(retries) => number(retries, "retries", 0..=u32::MAX)?,
                None => 0,
            },
            rate: self.rate.as_deref().map(rate).transpose()?,
            double_after,
            window: self.window.as_deref().map(window).transpose()?,
        })
    }
}

/// The first stage, from 1, that is smaller than one before it of the same kind.
fn shrinks(stages: &[Stage]) -> Option<usize> {
    let (mut devices, mut percent) = (0, 0);
    for (at, stage) in stages.iter().enumerate() {
        let is_smaller = match stage.size {
            Share::Devices(count) => count < std::mem::replace(&mut devices, count),
            Share::Percent(part) => part < std::mem::replace(&mut percent, part),
        };
        if is_smaller {
            return Some(at + 1);
        }
    }
    None
}

impl StageTable {
    fn stage(&self) -> Judged<Stage> {
        let size = match (&self.devices, &self.percent) {
            (Some(Value::Integer(0)), None) => {
                return Err(String::from("it needs devices or percent, of more than 0"));
            }
            (Some(count), None) => Share::Devices(number(count, "devices", 1..=MOST_DEVICES)?),
            (None, Some(percent)) => Share::Percent(number(percent, "percent", 1..=100)?),
            (Some(_), Some(_)) => {
                return Err(String::from(
                    "it has devices and percent, and takes only one of them",
                ));
            }
            _ => return Err(String::from("it needs devices or percent, of more than 0")),
        };
        let failures = match &self.failures {
            None => Share::Devices(0),
            Some(Value::String(text)) => {
                let percent = text
                    .strip_suffix('%')
                    .and_then(|digits| digits.parse().ok());
                let bad = || format!("failures {text:?}: expected a number, or such as \"3%\"");
                let percent = Value::Integer(percent.ok_or_else(bad)?);
                Share::Percent(number(&percent, "failures", 0..=100)?)
            }
            Some(count) => Share::Devices(number(count, "failures", 0..=MOST_DEVICES)?),
        };
        let soak = self.soak.as_deref().map(|text| seconds("soak", text));
        Ok(Stage {
            size,
            success: match &self.success {
                Some(percent) => number(percent, "success", 0..=100)?,
                None => 100,
            },
            failures,
            soak: soak.transpose()?.unwrap_or(0),
        })
    }
}

fn seconds(name: &str, text: &str) -> Judged<Seconds> {
    let time = humantime::parse_duration(text);
    let time =
        time.map_err(|_| format!("{name} {text:?}: expected a time such as 10m or 1h30m"))?;
    match time.subsec_nanos() {
        0 => Ok(time.as_secs()),
        _ => Err(format!("{name} {text:?}: expected whole seconds")),
    }
}

/// `50/m`
fn rate(text: &str) -> Judged<(u32, Seconds)> {
    let bad = || format!("rate {text:?}: expected devices per s, m or h, such as 50/m");
    let (count, per) = text.split_once('/').ok_or_else(bad)?;
    let per = match per {
        "s" => 1,
        "m" => 60,
        "h" => 3600,
        _ => return Err(bad()),
    };
    let count = count.parse().ok().filter(|count| *count > 0);
    Ok((count.ok_or_else(bad)?, per))
}

/// `01:00-05:00`
fn window(text: &str) -> Judged<(Seconds, Seconds)> {
    let bad = || format!("window {text:?}: expected times of day in UTC, such as 01:00-05:00");
    let (from, to) = text.split_once('-').ok_or_else(bad)?;
    let time = |text: &str| -> Option<Seconds> {
        let (hours, minutes) = text.split_once(':')?;
        let (hours, minutes): (Seconds, Seconds) = (hours.parse().ok()?, minutes.parse().ok()?);
        (hours < 24 && minutes < 60).then_some(hours * 3600 + minutes * 60)
    };
    let (from, to) = time(from).zip(time(to)).ok_or_else(bad)?;
    match from == to {
        true => Err(bad()),
        false => Ok((from, to)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(text: &str) -> Judged<Plan> {
        let file: File = toml::from_str(text).map_err(|why| why.message().to_owned())?;
        file.check().and_then(|()| file.plan(1))
    }

    #[test]
    fn a_file_says_stages_and_bounds() {
        let plan = judged(
            "name = 'a'\nmanifest = 'a.suit'\ntimeout = '1h'\nretries = 2\nrate = '50/m'\ndouble-after = 100\nwindow = '23:00-05:30'\n\
             [[stage]]\ndevices = 5\nsoak = '10m'\n[[stage]]\npercent = 100\nsuccess = 90\nfailures = '3%'\n",
        );
        let plan = plan.expect("a plan");
        assert_eq!(
            (plan.timeout, plan.rate, plan.double_after, plan.retries),
            (3600, Some((50, 60)), 100, 2)
        );
        assert_eq!(plan.window, Some((82_800, 19_800)));
        assert_eq!(plan.stages[0].soak, 600);
        assert_eq!(
            (plan.stages[1].failures, plan.stages[1].success),
            (Share::Percent(3), 90)
        );
    }

    #[test]
    fn mistakes_are_named() {
        let head = "name = 'a'\nmanifest = 'a.suit'\n";
        for (rest, wanted) in [
            ("", "there is no [[stage]]"),
            ("[[stage]]\n", "stage 1: it needs devices or percent"),
            (
                "[[stage]]\ndevices = 0\n",
                "stage 1: it needs devices or percent",
            ),
            (
                "[[stage]]\npercent = 101\n",
                "stage 1: percent must be a whole number from 1 to 100",
            ),
            (
                "[[stage]]\npercent = 500\n",
                "stage 1: percent must be a whole number from 1 to 100",
            ),
            (
                "[[stage]]\ndevices = 1\nsuccess = nan\n",
                "stage 1: success must be a whole number from 0 to 100",
            ),
            (
                "[[stage]]\ndevices = 1\nfailures = -3\n",
                "stage 1: failures must be a whole number from 0 to 100000",
            ),
            (
                "retries = 1.5\n[[stage]]\ndevices = 1\n",
                "retries must be a whole number from 0 to 4294967295",
            ),
            (
                "[[stage]]\ndevices = 1\nfailures = 'few'\n",
                "stage 1: failures \"few\"",
            ),
            (
                "[[stage]]\ndevices = 1\nsoak = 'long'\n",
                "stage 1: soak \"long\"",
            ),
            ("rate = '50'\n[[stage]]\ndevices = 1\n", "rate \"50\""),
            (
                "double-after = 9\n[[stage]]\ndevices = 1\n",
                "double-after needs a rate",
            ),
            (
                "rate = '1/s'\ndouble-after = 0\n[[stage]]\ndevices = 1\n",
                "double-after must be",
            ),
            ("window = '5-6'\n[[stage]]\ndevices = 1\n", "window \"5-6\""),
            (
                "devices = ['a/b']\n[[stage]]\ndevices = 1\n",
                "devices: \"a/b\"",
            ),
            (
                "devices = ['a', 'a']\n[[stage]]\ndevices = 1\n",
                "devices: a occurs twice",
            ),
            (
                "devices = ['coap://h', 'a']\n[[stage]]\ndevices = 1\n",
                "devices: \"a\": expected coap://HOST",
            ),
            (
                "devices = ['coap://h/suit/trigger']\n[[stage]]\ndevices = 1\n",
                "devices: \"coap://h/suit/trigger\": expected coap://HOST",
            ),
            (
                "class = ''\n[[stage]]\ndevices = 1\n",
                "class \"\": expected",
            ),
            ("stages = 1\n", "unknown field `stages`"),
            ("devices = []\n[[stage]]\ndevices = 1\n", "devices is empty"),
            ("timeout = '0s'\n[[stage]]\ndevices = 1\n", "timeout \"0s\""),
            (
                "timeout = '1900ms'\n[[stage]]\ndevices = 1\n",
                "timeout \"1900ms\": expected whole seconds",
            ),
            (
                "[[stage]]\ndevices = 1\nsoak = '1s 1us'\n",
                "stage 1: soak \"1s 1us\": expected whole seconds",
            ),
            (
                "[[stage]]\ndevices = 1\npercent = 1\n",
                "stage 1: it has devices and percent",
            ),
            (
                "[[stage]]\npercent = 50\n[[stage]]\npercent = 10\n",
                "stage 2: it has fewer devices",
            ),
        ] {
            let why = judged(&format!("{head}{rest}")).expect_err(rest);
            assert!(why.starts_with(wanted), "{rest}: {why}");
        }
    }
}
