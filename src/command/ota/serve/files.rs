//! The same directory over CoAP, as `coap server --directory` shows it: manifests, images and patches, for devices that fetch.

use std::net::SocketAddr;
use std::path::Path;

use crate::coap::net::Server;
use crate::coap::resources::Directory;
use crate::coap::site::Site;
use crate::error::Result;
use crate::file::unreadable;

/// A server of the files of a directory, which cannot be written.
pub(super) struct Files {
    server: Server,
    /// Where it listens.
    pub(super) address: SocketAddr,
}

impl Files {
    /// # Errors
    /// [`crate::error::Kind::Local`]: the directory cannot be read, or the address cannot be listened on.
    pub(super) fn open(directory: &Path, address: SocketAddr) -> Result<Self> {
        let shown = Directory::open(directory, false)
            .map_err(|cause| unreadable(directory.display(), &cause))?;
        let mut site = Site::new();
        site.add("/", shown);
        let mut server = Server::new(site, &[]);
        let address = server.listen_datagrams(address)?;
        Ok(Self { server, address })
    }

    /// Answers whoever asks. Cancel-safe.
    pub(super) async fn serve(&mut self) -> ! {
        loop {
            self.server.settle(&mut |_| {});
            self.server.turn().await;
        }
    }
}
