//! The functions that expressions have: those of jaq that neither read nor end anything, and what bounds a run.

use std::time::SystemTime;

use bytes::Bytes;
use data_encoding::BASE64;
use jaq_core::box_iter::{BoxIter, box_once};
use jaq_core::native::{self, Fun, bome, v};
use jaq_core::{Cv, Error, Exn, Native, RunPtr, ValR, ValX};
use jaq_json::{Num, Val};
use jiff::Timestamp;

use super::{DEEPEST_STACK, Data, Kind};

/// Those of the libraries that are not there, or that others here stand in for.
const LEFT_OUT: [&str; 3] = ["halt", "range", "fromjson"];

/// A step; its output is its input.
pub(super) const STEP: &str = "!step";

/// A step into a function that calls itself and gets functions.
pub(super) const CALL: &str = "!call";

/// An object or an array was made, or an iteration has an element; its output is its input.
pub(super) const MADE: &str = "!made";

/// What `*` and `+` are.
pub(super) const TIMES: &str = "!times";
pub(super) const PLUS: &str = "!plus";

/// How many steps an object, an array or a part of a path counts as: a hundredth of all steps is how deep they may be nested.
const OF_CONTAINER: u64 = 100;

/// How many steps a call of a function counts as that calls itself and gets functions: so deep they are nested.
const OF_CALL: u64 = 1000;

/// How many bytes of text count as a step.
const BYTES_OF_STEP: u64 = 64;

type Values<'a> = BoxIter<'a, ValX<'a, Val>>;

/// All of them.
pub(super) fn all() -> impl Iterator<Item = Fun<Kind>> {
    let core = jaq_core::funs::<Kind>();
    let libraries = core
        .chain(jaq_std::base_funs::<Kind>())
        .chain(jaq_json::funs::<Kind>());
    let libraries = libraries.filter(|(name, ..)| !LEFT_OUT.contains(name));
    libraries
        .chain(bounded())
        .chain(more().map(|(name, args, of)| (name, args, Native::<Kind>::new(of))))
}

/// Steps stand in paths too, which they do not change.
fn bounded() -> [Fun<Kind>; 3] {
    let step = Native::<Kind>::new(|cv| box_once(take(cv.0.data(), 1).map(|()| cv.1)))
        .with_paths(|cv| box_once(take(cv.0.data(), OF_CONTAINER).map(|()| cv.1)))
        .with_update(|cv, update| match take(cv.0.data(), 1) {
            Ok(()) => update(cv.1),
            Err(fault) => box_once(Err(fault)),
        });
    let call = Native::<Kind>::new(|cv| box_once(take(cv.0.data(), OF_CALL).map(|()| cv.1)))
        .with_paths(|cv| box_once(take(cv.0.data(), OF_CALL).map(|()| cv.1)))
        .with_update(|cv, update| match take(cv.0.data(), OF_CALL) {
            Ok(()) => update(cv.1),
            Err(fault) => box_once(Err(fault)),
        });
    let made = Native::<Kind>::new(|cv| box_once(take(cv.0.data(), OF_CONTAINER).map(|()| cv.1)));
    [(STEP, v(0), step), (CALL, v(0), call), (MADE, v(0), made)]
}

/// Takes steps, if there are any left.
fn take<'a>(data: &Data<'_>, steps: u64) -> Result<(), Exn<'a, Val>> {
    let here = 0_u8;
    let used = data.run.stack.abs_diff(&raw const here as usize);
    if used > DEEPEST_STACK {
        return Err(fault("the expression is nested too deep"));
    }
    let left = data.run.steps.get().checked_sub(steps);
    data.run.steps.set(left.unwrap_or(0));
    match left {
        Some(_) => Ok(()),
        None => Err(fault("the expression takes too many steps")),
    }
}

fn fault<'a>(why: &str) -> Exn<'a, Val> {
    Error::str(why).into()
}

fn length(value: &Val) -> u64 {
    match value {
        Val::TStr(text) | Val::BStr(text) => text.len() as u64,
        Val::Arr(items) => items.len() as u64 * size_of::<Val>() as u64,
        Val::Obj(pairs) => pairs.len() as u64 * 4 * size_of::<Val>() as u64,
        _ => 0,
    }
}

type Simple = native::Filter<RunPtr<Kind>>;

fn more() -> impl Iterator<Item = Simple> {
    let all: [Simple; 15] = [
        ("range", v(3), |cv| range(cv)),
        (TIMES, v(2), |cv| times(cv)),
        (PLUS, v(2), |cv| plus(cv)),
        ("fromjson", v(0), |cv| bome(from_json(&cv.1))),
        ("now", v(0), |cv| {
            let since = |now: SystemTime| now.duration_since(SystemTime::UNIX_EPOCH).ok();
            let since = cv.0.data().run.now.and_then(since);
            let now = since.map(|since| Val::from(since.as_secs_f64()));
            bome(now.ok_or_else(|| Error::str("the time is not known")))
        }),
        ("todateiso8601", v(0), |cv| bome(to_date(&cv.1))),
        ("fromdateiso8601", v(0), |cv| bome(from_date(&cv.1))),
        ("encode_base64", v(0), |cv| {
            bome(bytes(&cv.1).map(|it| Val::utf8_str(BASE64.encode(it))))
        }),
        ("decode_base64", v(0), |cv| {
            let decoded = bytes(&cv.1).and_then(|it| BASE64.decode(it).map_err(Error::str));
            bome(decoded.map(Val::utf8_str))
        }),
        ("sqrt", v(0), |cv| {
            bome(float(&cv.1).map(|it| it.sqrt().into()))
        }),
        ("exp", v(0), |cv| {
            bome(float(&cv.1).map(|it| it.exp().into()))
        }),
        ("log", v(0), |cv| {
            bome(float(&cv.1).map(|it| it.ln().into()))
        }),
        ("log10", v(0), |cv| {
            bome(float(&cv.1).map(|it| it.log10().into()))
        }),
        ("fabs", v(0), |cv| {
            bome(float(&cv.1).map(|it| it.abs().into()))
        }),
        ("pow", v(2), |mut cv| {
            let (to, base) = (cv.0.pop_var(), cv.0.pop_var());
            bome(float(&base).and_then(|base| Ok(base.powf(float(&to)?).into())))
        }),
    ];
    all.into_iter()
}

/// As jaq has it, but that long texts are steps.
fn times<'a>(mut cv: Cv<'a, Kind>) -> Values<'a> {
    let (right, left) = (cv.0.pop_var(), cv.0.pop_var());
    let times = match (&left, &right) {
        (Val::TStr(_) | Val::BStr(_), Val::Num(Num::Int(times)))
        | (Val::Num(Num::Int(times)), Val::TStr(_) | Val::BStr(_)) => *times,
        (Val::TStr(_) | Val::BStr(_), Val::Num(Num::BigInt(_)))
        | (Val::Num(Num::BigInt(_)), Val::TStr(_) | Val::BStr(_)) => isize::MAX,
        _ => 0,
    };
    let bytes = length(&left).max(length(&right));
    let bytes = bytes.saturating_mul(u64::try_from(times).unwrap_or(0));
    match take(cv.0.data(), bytes / BYTES_OF_STEP) {
        Ok(()) => bome(left * right),
        Err(fault) => box_once(Err(fault)),
    }
}

fn plus<'a>(mut cv: Cv<'a, Kind>) -> Values<'a> {
    let (right, left) = (cv.0.pop_var(), cv.0.pop_var());
    let bytes = length(&left) + length(&right);
    match take(cv.0.data(), bytes / BYTES_OF_STEP) {
        Ok(()) => bome(left + right),
        Err(fault) => box_once(Err(fault)),
    }
}

/// As jaq has it, but that each number is a step.
fn range<'a>(mut cv: Cv<'a, Kind>) -> Values<'a> {
    let (by, to, from) = (cv.0.pop_var(), cv.0.pop_var(), cv.0.pop_var());
    let (data, zero) = (*cv.0.data(), Val::from(0_usize));
    let mut next = Some(from);
    Box::new(std::iter::from_fn(move || {
        let this = next.take()?;
        let goes_on = match by.cmp(&zero) {
            std::cmp::Ordering::Greater => this < to,
            std::cmp::Ordering::Less => this > to,
            std::cmp::Ordering::Equal => this != to,
        };
        if !goes_on {
            return None;
        }
        let taken = take(&data, 1).and_then(|()| Ok((this.clone() + by.clone())?));
        Some(taken.map(|following| {
            next = Some(following);
            this
        }))
    }))
}

/// One value; the parser of jaq does not guard its stack.
fn from_json(text: &Val) -> ValR<Val> {
    let json = serde_json::from_slice(bytes(text)?);
    let json =
        json.map_err(|why| Error::str(format_args!("cannot parse {text} as JSON: {why}")))?;
    super::convert::value(&json).ok_or_else(|| Error::str("the JSON is nested too deep"))
}

fn bytes(value: &Val) -> Result<&Bytes, Error<Val>> {
    match value {
        Val::TStr(text) | Val::BStr(text) => Ok(text),
        other => Err(Error::typ(other.clone(), "string")),
    }
}

fn float(value: &Val) -> Result<f64, Error<Val>> {
    use jaq_std::ValT;
    let float = value.as_f64();
    float.ok_or_else(|| Error::typ(value.clone(), "number"))
}

/// Seconds since 1970 in RFC 3339, in UTC.
fn to_date(seconds: &Val) -> ValR<Val> {
    let seconds = float(seconds)?;
    // A conversion does not overflow.
    let nanoseconds = (seconds * 1e9).round() as i128;
    let time = Timestamp::from_nanosecond(nanoseconds).map_err(Error::str)?;
    Ok(Val::from(time.to_string()))
}

fn from_date(text: &Val) -> ValR<Val> {
    let words = str::from_utf8(bytes(text)?).map_err(Error::str)?;
    let time: Timestamp = words.parse().map_err(Error::str)?;
    Ok(match time.subsec_nanosecond() {
        0 => Val::Num(Num::from_integral(time.as_second())),
        _ => Val::from(time.as_nanosecond() as f64 / 1e9),
    })
}
