//! What Prometheus scrapes while a run goes on: `GET /metrics` and nothing else.

use std::net::SocketAddr;
use std::sync::Arc;

use tokio::sync::watch;

use crate::error::Result;
use crate::server::web::{Access, Answer, METRICS, Site, Web};

/// Serves the latest page while a run goes on.
pub(crate) struct Endpoint {
    web: Web,
    page: Page,
}

struct Page(watch::Receiver<String>);

impl Site for Page {
    fn get(&self, path: &str) -> Answer {
        match path {
            "/metrics" => Answer::Text {
                kind: METRICS,
                fields: "".into(),
                body: self.0.borrow().clone().into(),
            },
            _ => Answer::Nothing("see /metrics\n"),
        }
    }
}

impl Endpoint {
    /// Listens on `address` (port 0 takes a free one); what is sent into the returned channel is what is served.
    ///
    /// # Errors
    /// [`Kind::Local`](crate::error::Kind::Local) when the address cannot be listened on.
    pub(crate) async fn bind(address: SocketAddr) -> Result<(Self, watch::Sender<String>)> {
        let web = Web::bind(address, Access::Anyone).await?;
        let (sender, page) = watch::channel(String::new());
        let page = Page(page);
        Ok((Self { web, page }, sender))
    }

    /// Where it listens.
    ///
    /// # Errors
    /// [`Kind::Local`](crate::error::Kind::Local) when the system does not tell.
    pub(crate) fn local_addr(&self) -> Result<SocketAddr> {
        self.web.local_addr()
    }

    /// Serves until it is dropped.
    pub(crate) async fn serve(self) {
        self.web.serve(Arc::new(self.page)).await;
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpStream;

    use super::*;

    #[tokio::test]
    async fn the_latest_page_is_served() {
        let (endpoint, page) = Endpoint::bind("127.0.0.1:0".parse().unwrap())
            .await
            .unwrap();
        let address = endpoint.local_addr().unwrap();
        let serving = tokio::spawn(endpoint.serve());
        for text in ["a 1\n", "a 2\n"] {
            page.send(String::from(text)).unwrap();
            let mut stream = TcpStream::connect(address).await.unwrap();
            stream
                .write_all(b"GET /metrics HTTP/1.1\r\nhost: x\r\n\r\n")
                .await
                .unwrap();
            let mut answer = String::new();
            stream.read_to_string(&mut answer).await.unwrap();
            assert!(answer.ends_with(&format!("\r\n\r\n{text}")), "{answer}");
        }
        serving.abort();
    }
}
