//! From the protocol header to an open virtual host (AMQP 0-9-1 §2.2.4).

use amq_protocol::protocol::AMQPError;
use bytes::BytesMut;

use super::super::client::Options;
use super::super::diagnose::server_words;
use super::super::frame::methods::{self, Name};
use super::super::frame::{Fields, Frame, METHOD, PROTOCOL, short};
use super::link::{End, Link};

/// The one channel of the connection.
pub(super) const CHANNEL: u16 = 1;

/// Logs in.
///
/// # Errors
/// What ended the connection.
pub(super) async fn log_in(link: &mut Link, options: &Options) -> Result<(), End> {
    link.out.extend_from_slice(&PROTOCOL);
    answer(link, methods::START).await?;
    let login = &options.login;
    let response = login.response();
    let mechanism = login.mechanism.name();
    methods::start_ok(mechanism, &response, &options.name, &mut link.out);
    let tune = answer(link, methods::TUNE).await?;
    agree(link, options, Fields(&tune))?;
    methods::open(&options.vhost, &mut link.out);
    answer(link, methods::OPEN_OK).await.map(|_| ())
}

/// The smaller of what both want; 0 leaves it to the other (§1.4.2.6).
fn agree(link: &mut Link, options: &Options, mut theirs: Fields<'_>) -> Result<(), End> {
    let smaller = |ours: u32, theirs: u32| match (ours, theirs) {
        (0, other) | (other, 0) => other,
        (ours, theirs) => ours.min(theirs),
    };
    let channels = theirs.short()?;
    let frame_max = smaller(options.frame_max(), theirs.long()?);
    // Not larger than either, which is a u16.
    let heartbeat = smaller(options.heartbeat.into(), theirs.short()?.into()) as u16;
    link.agree(frame_max as usize, heartbeat);
    methods::tune_ok(channels, frame_max, heartbeat, &mut link.out);
    Ok(())
}

/// Waits for a method; its fields.
///
/// # Errors
/// What ended the connection; another method.
async fn answer(link: &mut Link, wanted: Name) -> Result<Vec<u8>, End> {
    let mut answer = None;
    loop {
        link.frames(|frame, out| {
            match read(frame, out)? {
                Some((name, fields)) if name == wanted => answer = Some(fields.0.to_vec()),
                None => {}
                Some((other, _)) => return Err(unexpected(other)),
            }
            Ok(answer.is_none())
        })?;
        if let Some(answer) = answer.take() {
            return Ok(answer);
        }
        link.progress().await?;
    }
}

/// The method in a frame; one that ends the channel or the connection is answered.
///
/// # Errors
/// The end of the channel or the connection; what cannot be read.
pub(super) fn read<'a>(
    frame: Frame<'a>,
    out: &mut BytesMut,
) -> Result<Option<(Name, Fields<'a>)>, End> {
    if frame.kind != METHOD {
        return Ok(None);
    }
    let mut fields = Fields(frame.payload);
    let name = fields.name()?;
    let ok = match name {
        methods::CLOSE => methods::CLOSE_OK,
        methods::CHANNEL_CLOSE => methods::CHANNEL_CLOSE_OK,
        _ => return Ok(Some((name, fields))),
    };
    methods::plain(frame.channel, ok, &[], out);
    let (code, text) = (fields.short()?, fields.text()?);
    Err(match AMQPError::from_id(code, short(&text)) {
        Some(error) => End::Told(error),
        None => {
            let what = match name {
                methods::CLOSE => "connection",
                _ => "channel",
            };
            End::Closed(match text.trim() {
                "" => format!("closed the {what}: reply code {code}"),
                text => format!(
                    "closed the {what}: {} (reply code {code})",
                    server_words(text)
                ),
            })
        }
    })
}

#[cold]
pub(super) fn unexpected((class, method): Name) -> End {
    End::Nonsense(format!("method {class}.{method} was not expected"))
}
