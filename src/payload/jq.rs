//! Expressions of jq, run by jaq: conditions and maps on messages.
//!
//! The input is the body as JSON; a body that is none is a string, and `null` where it is no UTF-8 text either. These variables
//! are there:
//!
//! | variable | what it is |
//! |---|---|
//! | `$topic` | the MQTT topic, the AMQP routing key, the CoAP path |
//! | `$time` | when the message was received or recorded, as RFC 3339 in UTC; `null`: it was not |
//! | `$protocol` | `mqtt`, `amqp`, `coap`, or `none` for what no protocol has carried |
//! | `$record` | `topic`, `time`, `protocol` and each detail that conditions know by name: `$record.qos`, `$record["header.x"]` |
//! | `$c` | what stands for the wildcards of the topic filter: `$c.device`, and `$c["1"]` by number |
//!
//! Messages are not trusted, expressions are, as much as the command line that they stand in. No expression reads the
//! environment, files or other input, and none ends the program: the functions for that are not there, and neither are those
//! that write to standard error, regular expressions, and formats but `@base64`, `@base64d`, `@json`, `@sh` and `@text`. A body
//! that is nested deeper than 100 levels is not looked at. A run ends with an error after a million steps (a turn of a loop, a
//! recursion, an element of `.[]` or `range`; objects, arrays and long texts count as more), or when it is nested too deep, or
//! after 1,000 outputs. What is not bounded is the work of a single function on a large value, and the text of a value that
//! holds another one many times.

mod convert;
mod functions;
mod guard;

use std::cell::Cell;
use std::fmt;
use std::sync::Arc;
use std::time::SystemTime;

use jaq_core::data::HasLut;
use jaq_core::load::{Arena, File, Loader, lex, parse, span};
use jaq_core::{Compiler, Ctx, DataT, Lut, Vars};
use jaq_json::Val;
use serde::de::IgnoredAny;
use serde_json::Value;

use super::captures::Captures;
use crate::error::brief;
use crate::message::Message;

/// How many outputs one message may have.
const MOST_OUTPUTS: usize = 1000;

/// How many steps a run may take; tests wait for it to end.
const MOST_STEPS: u64 = if cfg!(test) { 200_000 } else { 1_000_000 };

/// How much of the stack a run may take up, in bytes; half of it is left to what runs between two steps.
const DEEPEST_STACK: usize = 512 << 10;

/// The longest expression, in bytes.
const LONGEST: usize = 8 << 10;

/// The stack of the thread that compiles: what is nested in an expression is nested there.
const COMPILER_STACK: usize = 256 << 20;

/// What an expression is called among the definitions.
const NAME: &str = "iotctl_expression";

/// The names of what an expression may ask for, in their order.
const VARIABLES: [&str; 5] = ["$topic", "$time", "$protocol", "$record", "$c"];

/// Why an expression fails on a body with more than a hundred levels.
const TOO_DEEP: &str = "the body is nested too deep";

/// An expression that is ready to run.
#[derive(Clone)]
pub struct Filter {
    code: String,
    /// Which of [`VARIABLES`] it asks for.
    used: [bool; 5],
    compiled: Arc<jaq_core::Filter<Kind>>,
}

/// Which kinds of values and data there are.
struct Kind;

impl DataT for Kind {
    type V<'a> = Val;
    type Data<'a> = Data<'a>;
}

/// What functions see of a run.
#[derive(Clone, Copy)]
struct Data<'a> {
    lut: &'a Lut<Kind>,
    run: &'a Run,
}

impl<'a> HasLut<'a, Kind> for Data<'a> {
    fn lut(&self) -> &'a Lut<Kind> {
        self.lut
    }
}

/// How far a run may go.
struct Run {
    /// Steps that are left.
    steps: Cell<u64>,
    /// Where the stack was at its beginning.
    stack: usize,
    now: Option<SystemTime>,
}

/// What an expression is run on.
#[derive(Clone, Copy, Debug)]
pub struct Input<'a> {
    /// The message.
    pub message: &'a Message,
    /// What stands for the wildcards of the filter that its topic matches.
    pub captures: Option<&'a Captures<'a>>,
    /// For `now`, which fails without it.
    pub now: Option<SystemTime>,
}

impl Filter {
    /// Reads an expression.
    ///
    /// # Errors
    /// What is wrong with it, and at which column.
    pub fn compile(code: &str) -> Result<Self, String> {
        if code.len() > LONGEST {
            return Err(format!("the expression is longer than {LONGEST} bytes"));
        }
        let compiled = std::thread::scope(|scope| {
            let compiler = std::thread::Builder::new().stack_size(COMPILER_STACK);
            let running = compiler.spawn_scoped(scope, || compiled(code));
            let running = running.map_err(|why| format!("the expression is not read: {why}"))?;
            running
                .join()
                .unwrap_or_else(|_| Err(String::from("the expression cannot be compiled")))
        })?;
        Ok(Self {
            code: code.to_owned(),
            used: VARIABLES.map(|name| code.contains(name)),
            compiled: Arc::new(compiled),
        })
    }

    /// Whether the first output is neither `false` nor `null`; no output is as `false`.
    ///
    /// # Errors
    /// The expression fails on this message, or goes too far.
    pub fn holds(&self, input: Input<'_>, json: Option<&Value>) -> Result<bool, String> {
        let mut holds = false;
        self.run(input, json, &mut |output| {
            holds = !matches!(output, Val::Null | Val::Bool(false));
            Ok(false)
        })?;
        Ok(holds)
    }

    /// The outputs as bodies: a string as its text, all else as JSON in one line.
    ///
    /// # Errors
    /// The expression fails on this message, or goes too far.
    pub fn map(&self, input: Input<'_>, json: Option<&Value>) -> Result<Vec<Vec<u8>>, String> {
        let mut outputs = Vec::new();
        self.run(input, json, &mut |output| {
            if outputs.len() == MOST_OUTPUTS {
                return Err(format!("more than {MOST_OUTPUTS} outputs"));
            }
            outputs.push(convert::body(&output)?);
            Ok(true)
        })?;
        Ok(outputs)
    }

    /// The first output as a body, for a value that is measured: `nan` and what is too large for a double are none.
    ///
    /// # Errors
    /// As [`Self::map`], or it is no finite number.
    pub fn value(&self, input: Input<'_>, json: Option<&Value>) -> Result<Option<Vec<u8>>, String> {
        let mut first = None;
        self.run(input, json, &mut |output| {
            if first.is_none() {
                if !convert::is_finite(&output) {
                    return Err(String::from("the output is no finite number"));
                }
                first = Some(convert::body(&output)?);
            }
            Ok(true)
        })?;
        Ok(first)
    }

    /// Calls `each` with the outputs, for as long as it wants more.
    fn run(
        &self,
        input: Input<'_>,
        json: Option<&Value>,
        each: &mut dyn FnMut(Val) -> Result<bool, String>,
    ) -> Result<(), String> {
        let body = match json {
            Some(json) => convert::value(json).ok_or(TOO_DEEP)?,
            None => match str::from_utf8(&input.message.payload) {
                // The parser gives up on it, which does not make it a text.
                Ok(text) if is_deep(text) => return Err(TOO_DEEP.into()),
                Ok(text) => Val::from(text.to_owned()),
                Err(_) => Val::Null,
            },
        };
        let here = 0_u8;
        let run = Run {
            steps: Cell::new(MOST_STEPS),
            stack: &raw const here as usize,
            now: input.now,
        };
        let data = Data {
            lut: &self.compiled.lut,
            run: &run,
        };
        let vars = Vars::new(convert::variables(input, self.used));
        let outputs = self.compiled.id.run((Ctx::<Kind>::new(data, vars), body));
        for output in outputs {
            let output = output.map_err(|fault| match fault.get_err() {
                Ok(error) => match error.into_val() {
                    Val::TStr(text) => brief(&String::from_utf8_lossy(&text)).to_string(),
                    other => brief(&other.to_string()).to_string(),
                },
                Err(_) => String::from("the expression breaks off"),
            })?;
            if !each(output)? {
                break;
            }
        }
        Ok(())
    }
}

/// Whether a body that is not read as JSON is some that is nested too deep for the parser.
fn is_deep(text: &str) -> bool {
    let begins = text.trim_start().starts_with(['{', '[']);
    // What is passed over may be nested as deep as it likes.
    begins && depth(text) > convert::DEEPEST && serde_json::from_str::<IgnoredAny>(text).is_ok()
}

/// How deep the brackets of a JSON text are nested.
fn depth(text: &str) -> usize {
    let (mut depth, mut deepest, mut quoted, mut escaped) = (0_usize, 0, false, false);
    for byte in text.bytes() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = quoted,
            b'"' => quoted = !quoted,
            b'[' | b'{' if !quoted => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b']' | b'}' if !quoted => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}

fn compiled(code: &str) -> Result<jaq_core::Filter<Kind>, String> {
    let at = |part: &str, what: &str| {
        let start = span(code, part).start;
        let column = code[..start].chars().count() + 1;
        format!("column {column}: {what}")
    };
    let found = |part: &str| match part.chars().next() {
        Some(_) => format!(", not {}", brief(part)),
        None => String::new(),
    };
    let tokens = lex::Lexer::new(code).lex().map_err(|faults| {
        let fault = faults.into_iter().next();
        fault.map_or_else(String::new, |(expected, part)| {
            at(part, &format!("{} is expected", expected.as_str()))
        })
    })?;
    let parsed = parse::Parser::new(&tokens).parse(|parser| parser.term());
    let body = parsed.map_err(|faults| {
        let fault = faults.into_iter().next();
        fault.map_or_else(String::new, |(expected, token)| {
            let part = lex::Token::opt_as_str(token, code);
            let what = format!("{} is expected{}", expected.as_str(), found(part));
            at(part, &what)
        })
    })?;
    let mut expression = parse::Def {
        name: NAME,
        args: Vec::new(),
        body,
    };
    guard::expression(&mut expression)?;
    let loader = Loader::new(guard::definitions().chain([expression]));
    let arena = Arena::default();
    let main = File {
        code: NAME,
        path: (),
    };
    let broken = || String::from("the expression cannot be compiled");
    let modules = loader.load(&arena, main).map_err(|_| broken())?;
    Compiler::default()
        .with_funs(functions::all())
        .with_global_vars(VARIABLES)
        .compile(modules)
        .map_err(|faults| {
            let mut faults = faults.into_iter().flat_map(|(_, faults)| faults);
            faults.next().map_or_else(broken, |(name, kind)| {
                at(name, &format!("there is no {} {name}", kind.as_str()))
            })
        })
}

impl fmt::Debug for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Filter").field(&self.code).finish()
    }
}

impl fmt::Display for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.code)
    }
}

#[cfg(test)]
mod tests;
