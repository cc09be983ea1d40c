//! lapin over a connection of ours: the parts of its runtime that name a stream.

use std::future::Future;
use std::io::{self, Read, Write};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use async_rs::traits::Reactor;
use async_rs::util::RuntimeParts;
use async_rs::{Runtime, Tokio};
use futures_util::{AsyncRead, AsyncWrite, Stream};
use tokio_util::compat::Compat;

use super::heard::Listening;

/// tokio's executor with our streams.
pub(super) type Kit = RuntimeParts<Tokio, OurStreams>;

/// The current tokio runtime as lapin wants it.
pub(super) fn runtime() -> Runtime<Kit> {
    let tokio = Tokio::current();
    Runtime::new(RuntimeParts::new(tokio.clone(), OurStreams(tokio)))
}

/// tokio's reactor, except that streams are made elsewhere.
#[derive(Clone, Debug)]
pub(super) struct OurStreams(Tokio);

impl Reactor for OurStreams {
    type TcpStream = Compat<Listening>;
    type Sleep = <Tokio as Reactor>::Sleep;

    fn register<H: Read + Write + Send + 'static>(
        &self,
        _: H,
    ) -> io::Result<impl AsyncRead + AsyncWrite + Send + Unpin + 'static> {
        // lapin calls neither this nor `tcp_connect_addr`: the stream is handed to it.
        Err::<Compat<Listening>, _>(io::ErrorKind::Unsupported.into())
    }

    fn sleep(&self, duration: Duration) -> Self::Sleep {
        self.0.sleep(duration)
    }

    fn interval(&self, duration: Duration) -> impl Stream<Item = Instant> + Send + 'static {
        self.0.interval(duration)
    }

    fn tcp_connect_addr(
        &self,
        _: SocketAddr,
    ) -> impl Future<Output = io::Result<Self::TcpStream>> + Send + 'static {
        std::future::ready(Err(io::ErrorKind::Unsupported.into()))
    }
}
