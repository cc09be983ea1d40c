//! What flags are in a routes file (`--print-config`), the same for every command that has such a file.

use crate::command::ends::End;
use crate::command::route::connection::Connection;
use crate::command::route::file::{Names, SourceTable, TargetTable};
use crate::connect::ConnectArgs;
use crate::error::{Error, Result};
use crate::mqtt::packet::{RetainHandling, Subscription};

/// The name of the target of what is refused.
const REFUSED: &str = "refused";

/// Refuses the first flag that was given and that such a file has no word for.
pub(crate) fn refuse<'a>(flags: impl IntoIterator<Item = (&'a str, bool)>) -> Result<()> {
    let mut given = flags.into_iter().filter(|(_, given)| *given);
    match given.next() {
        None => Ok(()),
        Some((flag, _)) => Err(Error::usage(format!(
            "--print-config: {flag} cannot be expressed in a routes file"
        ))),
    }
}

/// Refuses a flag about the run: when it ends, and who is told. `iotctl route` has these itself.
pub(crate) fn refuse_of_run(given: impl IntoIterator<Item = Option<&'static str>>) -> Result<()> {
    match given.into_iter().flatten().next() {
        None => Ok(()),
        Some(flag) => Err(Error::usage(format!(
            "--print-config: {flag} cannot be expressed in a routes file; it belongs on the command line of iotctl route"
        ))),
    }
}

/// The URL, the context or the file that an end is.
fn end(end: &End) -> (Option<String>, Option<String>, Option<String>) {
    match end {
        End::Url(_, url) => (Some(url.clone()), None, None),
        End::Listen(listen) => (Some(listen.to_string()), None, None),
        // A file names its servers, and its stores otherwise.
        End::Usual | End::Store(_) => (None, None, None),
        End::Context(name) => (None, Some(name.clone()), None),
        End::File(path) | End::Database(path) => (None, None, Some(path.display().to_string())),
        End::Standard => (None, None, Some(String::from("-"))),
    }
}

/// How to connect to it; what is no server needs no connection.
fn connection(end: &End, connect: &ConnectArgs) -> Connection {
    match end.is_server() {
        true => Connection::of(&end.connect(connect)),
        false => Connection::default(),
    }
}

/// A source, but for what is received there.
pub(crate) fn source(name: &End, connect: &ConnectArgs) -> SourceTable {
    let (url, context, file) = end(name);
    let table = SourceTable {
        url,
        context,
        file,
        ..SourceTable::default()
    };
    table.connected(connection(name, connect))
}

/// A target, but for what becomes of messages there.
pub(crate) fn target(name: &End, connect: &ConnectArgs) -> TargetTable {
    let (url, context, file) = end(name);
    let table = TargetTable {
        url,
        context,
        file,
        ..TargetTable::default()
    };
    table.connected(connection(name, connect))
}

/// A target, and what it is called.
type NamedTarget = (String, TargetTable);

/// What `--on-refused` is called, and the target that it names, if it does.
///
/// # Errors
/// No server and no file.
pub(crate) fn on_refused(
    what: &str,
    connect: &ConnectArgs,
) -> Result<(Option<String>, Option<NamedTarget>)> {
    Ok(match what {
        "stop" => (None, None),
        "drop" => (Some(String::from("drop")), None),
        name => {
            let table = target(&End::parse(name)?, connect);
            (Some(REFUSED.to_owned()), Some((REFUSED.to_owned(), table)))
        }
    })
}

/// One name, or several.
pub(crate) fn names(mut names: Vec<String>) -> Names {
    match names.len() {
        0 => Names::None,
        1 => Names::One(names.remove(0)),
        _ => Names::Several(names),
    }
}

/// A subscription in the words of `-t`.
pub(crate) fn subscription(it: &Subscription) -> String {
    let mut words = format!("{};qos={}", it.filter.replace(';', ";;"), it.qos.level());
    let options = [
        (it.no_local, ";nl"),
        (it.retain_as_published, ";rap"),
        (it.retain_handling == RetainHandling::New, ";rh=new"),
        (it.retain_handling == RetainHandling::Never, ";rh=never"),
    ];
    words.extend(options.into_iter().filter(|it| it.0).map(|it| it.1));
    words
}
