//! When a reading is bad or good, and how long it must be so.

use serde_json::{Value as Json, json};

use super::Millis;
use super::state::Value;

/// What an alarm watches over, and how.
#[derive(Clone, Debug, PartialEq)]
pub struct Rule {
    /// What it is called: `high-temp`.
    pub name: String,
    /// Which readings are bad.
    pub test: Test,
    /// Only below this a reading is good again.
    pub clear_below: Option<f64>,
    /// Only above this a reading is good again.
    pub clear_above: Option<f64>,
    /// How long readings must be bad before the alarm fires.
    pub hold: Millis,
    /// How long readings must be good before it ends.
    pub clear_hold: Millis,
    /// So many of the last so many readings must be bad; the second at most 64.
    pub count: Option<(u32, u32)>,
    /// A key without a reading for so long is stale.
    pub stale: Option<Millis>,
    /// How bad it is, in words.
    pub severity: String,
    /// How often a firing alarm is told again, until it is acknowledged.
    pub repeat: Option<Millis>,
    /// What happens to an alarm that fires on and is not acknowledged, by time.
    pub escalation: Vec<Step>,
    /// More changes than these in so much time are told once, as one state.
    pub flapping: Option<(u32, Millis)>,
    /// At most so many notices in so much time, whatever their keys.
    pub limit: Option<(u32, Millis)>,
    /// How many alarms are kept; at least 1.
    pub max_keys: usize,
}

impl Default for Rule {
    fn default() -> Self {
        Self {
            name: String::from("alert"),
            test: Test::Missing,
            clear_below: None,
            clear_above: None,
            hold: 0,
            clear_hold: 0,
            count: None,
            stale: None,
            severity: String::from("warning"),
            repeat: None,
            escalation: Vec::new(),
            flapping: None,
            limit: None,
            max_keys: 100_000,
        }
    }
}

/// A step of the escalation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// Since the alarm fires.
    pub after: Millis,
    /// How bad it is from then on.
    pub severity: String,
}

/// Which readings are bad.
#[derive(Clone, Debug, PartialEq)]
pub enum Test {
    /// Numbers above this.
    Above(f64),
    /// Numbers below this.
    Below(f64),
    /// Numbers below the first and above the second.
    Outside(f64, f64),
    /// Numbers from the first to the second.
    Inside(f64, f64),
    /// This value; numbers are compared as numbers.
    Equal(String),
    /// Any other value than the one before.
    Changed,
    /// Numbers that differ from the one before by more than this in so much time.
    Rate(f64, Millis),
    /// What fulfils a condition, which the caller knows: its words.
    When(String),
    /// None; that they are missing is bad ([`Rule::stale`]).
    Missing,
}

/// What a reading means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Bad,
    /// Neither: what was, stays.
    Between,
    Good,
}

/// A test needs a number, and the reading is none; or it needs a value, and there is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct NoNumber;

impl Test {
    /// The limit, as notices show it.
    pub(super) fn limit(&self, stale: Option<Millis>) -> Json {
        match self {
            Self::Above(limit) | Self::Below(limit) => Value::Number(*limit).json(),
            Self::Outside(low, high) | Self::Inside(low, high) => {
                json!([Value::Number(*low).json(), Value::Number(*high).json()])
            }
            Self::Equal(value) => Json::from(&**value),
            Self::Changed => Json::from("changed"),
            Self::Rate(by, time) => {
                let by = Value::Number(*by).json();
                Json::from(format!("{by}/{}", duration(*time)))
            }
            Self::When(words) => Json::from(&**words),
            Self::Missing => stale.map_or(Json::Null, |stale| Json::from(duration(stale))),
        }
    }

    fn number(&self, value: &Value) -> Result<f64, NoNumber> {
        match value {
            Value::Number(number) => Ok(*number),
            Value::Text(_) | Value::Nothing => Err(NoNumber),
        }
    }
}

/// `5m`
pub(super) fn duration(millis: Millis) -> String {
    humantime::format_duration(std::time::Duration::from_millis(millis)).to_string()
}

/// A reading that is judged.
pub(super) struct Case<'a> {
    pub(super) value: &'a Value,
    pub(super) at: Millis,
    /// Whether it fulfils the condition of [`Test::When`].
    pub(super) holds: Option<bool>,
    /// The one before, and when that was.
    pub(super) before: (&'a Value, Millis),
}

impl Rule {
    /// Refuses what contradicts itself. The words are those of the flags, without their dashes.
    ///
    /// # Errors
    /// What is wrong.
    pub fn check(&self) -> Result<(), String> {
        self.check_clearing()?;
        match self.test {
            Test::Above(limit) | Test::Below(limit) | Test::Rate(limit, _)
                if !limit.is_finite() =>
            {
                return Err(format!("the limit {limit} is not a number"));
            }
            Test::Outside(low, high) | Test::Inside(low, high) if low >= high => {
                return Err(format!("the range {low}..{high} is empty"));
            }
            Test::Missing if self.stale.is_none() => {
                return Err(String::from(
                    "no alert condition: above, below, outside, inside, equal, changed, rate, when or stale is needed",
                ));
            }
            _ => {}
        }
        if let Some((bad, of)) = self.count
            && (bad == 0 || bad > of || of > 64)
        {
            return Err(format!(
                "count {bad} of {of}: it must be 1 of 1 to 64 of 64"
            ));
        }
        if matches!(self.test, Test::Rate(by, _) if by <= 0.0) {
            return Err(String::from("a rate of 0: use changed for any change"));
        }
        if self.flapping.is_some_and(|(changes, _)| changes == 0) {
            return Err(String::from(
                "flapping after 0 changes would hide every alarm",
            ));
        }
        if self.limit.is_some_and(|(most, _)| most == 0) {
            return Err(String::from("a limit of 0 would tell nothing"));
        }
        if self.max_keys == 0 {
            return Err(String::from("max-keys must be at least 1"));
        }
        if !self.escalation.is_sorted_by_key(|step| step.after) {
            return Err(String::from(
                "the steps of an escalation must be in the order of their times",
            ));
        }
        Ok(())
    }

    fn check_clearing(&self) -> Result<(), String> {
        // What a value must at most be below, and at least be above, so that no value is bad and good at once.
        let (below, above) = match self.test {
            Test::Above(limit) => (Some(limit), None),
            Test::Below(limit) => (None, Some(limit)),
            Test::Outside(low, high) => (Some(high), Some(low)),
            Test::Inside(low, high) => (Some(low), Some(high)),
            _ => (None, None),
        };
        match (self.clear_below, below) {
            (Some(_), None) => {
                return Err(String::from("clear-below needs above, outside or inside"));
            }
            (Some(clear), Some(limit)) if clear > limit => {
                return Err(format!("clear-below {clear} is above the limit {limit}"));
            }
            _ => {}
        }
        match (self.clear_above, above) {
            (Some(_), None) => Err(String::from("clear-above needs below, outside or inside")),
            (Some(clear), Some(limit)) if clear < limit => {
                Err(format!("clear-above {clear} is below the limit {limit}"))
            }
            _ => match (self.clear_below, self.clear_above, &self.test) {
                (Some(below), Some(above), Test::Outside(..)) if above >= below => Err(format!(
                    "no value is above {above} (clear-above) and below {below} (clear-below)"
                )),
                _ => Ok(()),
            },
        }
    }

    /// What a reading means.
    pub(super) fn judge(&self, case: &Case<'_>) -> Result<Verdict, NoNumber> {
        let Case { value, before, .. } = case;
        let needs_none = matches!(self.test, Test::When(_) | Test::Missing);
        if **value == Value::Nothing && !needs_none {
            return Err(NoNumber);
        }
        let bad = match &self.test {
            Test::Above(limit) => self.test.number(value)? > *limit,
            Test::Below(limit) => self.test.number(value)? < *limit,
            Test::Outside(low, high) => {
                let value = self.test.number(value)?;
                value < *low || value > *high
            }
            Test::Inside(low, high) => {
                let value = self.test.number(value)?;
                value >= *low && value <= *high
            }
            Test::Equal(expected) => value.equals(expected),
            Test::Changed => *before.0 != Value::Nothing && value != &before.0,
            Test::Rate(by, time) => {
                let value = self.test.number(value)?;
                match before {
                    (Value::Number(before), was) if case.at > *was => {
                        let share = *time as f64 / (case.at - was) as f64;
                        (value - before).abs() * share > *by
                    }
                    _ => false,
                }
            }
            Test::When(_) => case.holds.ok_or(NoNumber)?,
            Test::Missing => false,
        };
        Ok(match bad {
            true => Verdict::Bad,
            false if self.is_clear(value) => Verdict::Good,
            false => Verdict::Between,
        })
    }

    /// Whether a value that is not bad is good.
    fn is_clear(&self, value: &Value) -> bool {
        let Value::Number(value) = value else {
            return true;
        };
        let below = self.clear_below.map(|clear| *value < clear);
        let above = self.clear_above.map(|clear| *value > clear);
        match (&self.test, below, above) {
            // Good lies on both sides of what is bad.
            (Test::Inside(low, high), ..) => {
                below.unwrap_or(value < low) || above.unwrap_or(value > high)
            }
            (_, below, above) => below.unwrap_or(true) && above.unwrap_or(true),
        }
    }
}
