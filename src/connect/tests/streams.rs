//! Bytes there and back over every transport.

use super::*;

fn pattern(length: usize) -> Vec<u8> {
    (0..length)
        .map(|index| (index * 7 + index / 251) as u8)
        .collect()
}

/// Writes while the echo is read, as a mebibyte fits no socket buffer.
async fn large_round_trip(stream: Stream, length: usize) {
    let sent = pattern(length);
    let (mut from, mut to) = tokio::io::split(stream);
    let expected = sent.clone();
    let reading = tokio::spawn(async move {
        let mut back = vec![0; expected.len()];
        from.read_exact(&mut back).await.unwrap();
        assert!(back == expected, "bytes came back changed");
        from
    });
    to.write_all(&sent).await.unwrap();
    to.flush().await.unwrap();
    let mut from = reading.await.unwrap();
    to.shutdown().await.unwrap();
    assert_eq!(
        from.read(&mut [0; 8]).await.unwrap(),
        0,
        "a shutdown ends the echo"
    );
}

fn tls(keys: &Keyring) -> ServerTls {
    let authority = keys.authority("ca");
    let (cert, key) = keys.signed("server", &["localhost", "127.0.0.1"], &authority);
    ServerTls {
        cert,
        key,
        client_ca: None,
    }
}

#[tokio::test]
async fn tcp() {
    let port = echoing(ListenOn::plain(loopback())).await;
    let mut stream = dialled(to(format!("mqtt://127.0.0.1:{port}")))
        .await
        .unwrap();
    assert_eq!(stream.peer(), format!("127.0.0.1:{port}"));
    stream.quick_ack();
    round_trip(&mut stream, b"hello").await;
    large_round_trip(stream, 1 << 20).await;
}

#[tokio::test]
async fn localhost_without_ipv6_listener() {
    let port = echoing(ListenOn::plain(loopback())).await;
    let mut stream = dialled(to(format!("mqtt://localhost:{port}")))
        .await
        .unwrap();
    round_trip(&mut stream, b"hello").await;
}

#[tokio::test]
async fn tls_verified() {
    let keys = Keyring::new();
    let port = echoing(ListenOn {
        tls: Some(tls(&keys)),
        ..ListenOn::plain(loopback())
    })
    .await;
    let words = ConnectArgs {
        cafile: Some(keys.path("ca.pem")),
        ..to(format!("mqtts://localhost:{port}"))
    };
    let mut stream = dialled(words).await.unwrap();
    assert!(stream.peer_certificate().is_some());
    round_trip(&mut stream, b"hello").await;
    large_round_trip(stream, 1 << 20).await;
}

#[tokio::test]
async fn websocket() {
    let port = echoing(ListenOn {
        websocket: true,
        ..ListenOn::plain(loopback())
    })
    .await;
    let mut stream = dialled(to(format!("ws://127.0.0.1:{port}"))).await.unwrap();
    for length in [1, 125, 126, 65_535, 65_536] {
        round_trip(&mut stream, &pattern(length)).await;
    }
    large_round_trip(stream, 5 << 20).await;
}

#[tokio::test]
async fn websocket_over_tls() {
    let keys = Keyring::new();
    let port = echoing(ListenOn {
        tls: Some(tls(&keys)),
        websocket: true,
        ..ListenOn::plain(loopback())
    })
    .await;
    let words = ConnectArgs {
        cafile: Some(keys.path("ca.pem")),
        ..to(format!("wss://127.0.0.1:{port}/any/path"))
    };
    large_round_trip(dialled(words).await.unwrap(), 1 << 20).await;
}

#[tokio::test]
async fn unix_socket() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s");
    let listener = Listener::bind(&ListenOn::plain(ListenAddress::Unix(path.clone())))
        .await
        .unwrap();
    let serving = tokio::spawn(async move {
        echo(listener.accept().await.unwrap()).await;
    });
    let words = ConnectArgs {
        unix: Some(path.clone()),
        ..ConnectArgs::default()
    };
    large_round_trip(dialled(words).await.unwrap(), 1 << 20).await;
    serving.await.unwrap();
    assert!(!path.exists(), "the listener takes its socket away");
}

#[tokio::test]
async fn bind_chooses_the_source_address() {
    let listener = Listener::bind(&ListenOn::plain(loopback())).await.unwrap();
    let words = ConnectArgs {
        bind: Some("127.0.0.2".parse().unwrap()),
        ..to(format!("mqtt://localhost:{}", port(&listener)))
    };
    let _stream = dialled(words).await.unwrap();
    assert!(
        listener
            .accept()
            .await
            .unwrap()
            .peer()
            .starts_with("127.0.0.2:")
    );
}
