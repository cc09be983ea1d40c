//! What a server does wrong on purpose.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use crate::coap::random::Random;

/// Something that is done to messages: to every Nth, or to a share of them.
#[derive(Clone, Debug, PartialEq)]
pub struct Fault {
    kind: Kind,
    way: Way,
    when: When,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Kind {
    Drop,
    Delay(Duration),
    Duplicate,
}

/// Which messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// Those that come.
    In,
    /// Those that go.
    Out,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum When {
    Always,
    Every(u64),
    Nth(u64),
    Share(f64),
}

/// The faults and their keys, as help lists them.
pub const FAULTS: &[(&str, &str)] = &[
    ("drop", "lose the message"),
    (
        "delay:by=TIME",
        "let it come later by TIME (default 1s), others overtake it",
    ),
    ("duplicate", "let it come twice"),
    ("every=N", "every Nth message only"),
    ("nth=N", "the Nth message only, counted from 1"),
    ("share=P%", "so many of a hundred, by chance"),
    (
        "way=in",
        "messages that come to the server, instead of those that it sends",
    ),
];

impl FromStr for Fault {
    type Err = String;

    /// Reads `NAME[:KEY=VALUE[,KEY=VALUE]...]`: `drop:every=3`, `delay:by=200ms`, `duplicate:share=5%,way=in`.
    fn from_str(word: &str) -> Result<Self, Self::Err> {
        let (name, keys) = word.split_once(':').unwrap_or((word, ""));
        let mut fault = Self {
            kind: match name {
                "drop" => Kind::Drop,
                "delay" => Kind::Delay(Duration::from_secs(1)),
                "duplicate" => Kind::Duplicate,
                _ => return Err(format!("{name:?} is none of drop, delay, duplicate")),
            },
            way: Way::Out,
            when: When::Always,
        };
        for key in keys.split(',').filter(|key| !key.is_empty()) {
            fault.take(key)?;
        }
        Ok(fault)
    }
}

impl Fault {
    fn take(&mut self, key: &str) -> Result<(), String> {
        let wrong = || {
            format!("{key:?} is none of every=N, nth=N, share=P%, way=in, way=out, by=TIME (delay)")
        };
        let (name, value) = key.split_once('=').ok_or_else(wrong)?;
        let number = value.parse::<u64>().ok().filter(|number| *number > 0);
        match (name, self.kind) {
            ("every", _) => self.when = When::Every(number.ok_or_else(wrong)?),
            ("nth", _) => self.when = When::Nth(number.ok_or_else(wrong)?),
            ("share", _) => {
                let percent = value.strip_suffix('%').unwrap_or(value).parse::<f64>();
                let percent = percent.ok().filter(|it| (0.0..=100.0).contains(it));
                self.when = When::Share(percent.ok_or_else(wrong)? / 100.0);
            }
            ("way", _) if value == "in" => self.way = Way::In,
            ("way", _) if value == "out" => self.way = Way::Out,
            ("by", Kind::Delay(_)) => {
                let time = humantime::parse_duration(value).map_err(|_| wrong())?;
                self.kind = Kind::Delay(time);
            }
            _ => return Err(wrong()),
        }
        Ok(())
    }
}

/// All faults of a server, and how far each has counted.
pub(super) struct Faults {
    faults: Vec<(Fault, u64)>,
    random: Random,
}

impl fmt::Debug for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(&self.faults).finish()
    }
}

impl Faults {
    pub(super) fn new(faults: Vec<Fault>) -> Self {
        Self {
            faults: faults.into_iter().map(|fault| (fault, 0)).collect(),
            random: Random::from_system(),
        }
    }

    /// When the copies of a message arrive: nothing for a message that is lost.
    pub(super) fn fate(&mut self, way: Way) -> Vec<Duration> {
        let mut copies = vec![Duration::ZERO];
        for (fault, count) in &mut self.faults {
            if fault.way != way {
                continue;
            }
            *count += 1;
            let strikes = match fault.when {
                When::Always => true,
                When::Every(number) => count.is_multiple_of(number),
                When::Nth(number) => *count == number,
                When::Share(share) => self.random.fraction() < share,
            };
            match fault.kind {
                _ if !strikes => {}
                Kind::Drop => copies.clear(),
                Kind::Delay(by) => copies.iter_mut().for_each(|it| *it += by),
                Kind::Duplicate => copies.extend_from_within(..),
            }
        }
        copies
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fates(faults: &[&str], way: Way, count: usize) -> Vec<usize> {
        let faults = faults.iter().map(|it| it.parse().expect(it)).collect();
        let mut faults = Faults::new(faults);
        (0..count).map(|_| faults.fate(way).len()).collect()
    }

    #[test]
    fn faults_strike_when_they_should() {
        assert_eq!(fates(&["drop:every=2"], Way::Out, 4), [1, 0, 1, 0]);
        assert_eq!(fates(&["drop:nth=1"], Way::Out, 3), [0, 1, 1]);
        assert_eq!(fates(&["duplicate"], Way::Out, 2), [2, 2]);
        assert_eq!(fates(&["drop:way=in"], Way::Out, 2), [1, 1]);
        assert_eq!(fates(&["drop:share=100%"], Way::Out, 2), [0, 0]);
    }

    #[test]
    fn a_delay_has_a_length() {
        let fault: Fault = "delay:by=200ms,every=1".parse().expect("a fault");
        let fate = Faults::new(vec![fault]).fate(Way::Out);
        assert_eq!(fate, [Duration::from_millis(200)]);
    }

    #[test]
    fn what_is_no_fault_is_refused() {
        for word in [
            "explode",
            "drop:by=1s",
            "drop:every=0",
            "delay:by=soon",
            "drop:share=101%",
            "drop:x",
        ] {
            assert!(word.parse::<Fault>().is_err(), "{word}");
        }
    }
}
