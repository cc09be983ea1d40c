//! Servers that are not there, say nothing, or speak something else.

use super::*;

async fn silent(stream: TcpStream) {
    let (mut from, _to) = stream.into_split();
    let _ = tokio::io::copy(&mut from, &mut tokio::io::sink()).await;
}

/// Reads the first bytes, answers and closes.
async fn answer(mut stream: TcpStream, text: &'static [u8]) {
    let mut first = [0; 4096];
    let _ = stream.read(&mut first).await;
    let _ = stream.write_all(text).await;
}

async fn not_found(stream: TcpStream) {
    answer(
        stream,
        b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n",
    )
    .await;
}

async fn unauthorized(stream: TcpStream) {
    answer(
        stream,
        b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n",
    )
    .await;
}

async fn fine(stream: TcpStream) {
    answer(stream, b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").await;
}

async fn mqtt(stream: TcpStream) {
    answer(stream, &[0x20, 2, 0, 1]).await;
}

async fn hang_up(stream: TcpStream) {
    answer(stream, b"").await;
}

fn quickly(words: ConnectArgs) -> ConnectArgs {
    ConnectArgs {
        connect_timeout: Some(Duration::from_millis(50)),
        ..words
    }
}

#[tokio::test]
async fn nobody_listens() {
    let port = {
        let gone = TcpListener::bind("127.0.0.1:0").await.unwrap();
        gone.local_addr().unwrap().port()
    };
    for host in ["127.0.0.1", "localhost"] {
        let refusal = refused(to(format!("mqtt://{host}:{port}"))).await;
        assert_eq!(
            refusal.text(),
            format!("cannot connect to mqtt://{host}:{port}: connection refused")
        );
        assert_eq!(refusal.exit_code(), 3);
    }
    let refusal = refused(to(String::from("unix:/nonexistent/s"))).await;
    assert_eq!(
        refusal.text(),
        "cannot connect to unix:/nonexistent/s: no such file or directory"
    );
}

#[tokio::test]
async fn bind_to_a_foreign_address() {
    let words = ConnectArgs {
        bind: Some("192.0.2.1".parse().unwrap()),
        ..to(String::from("mqtt://127.0.0.1:9"))
    };
    let refusal = refused(words.clone()).await;
    assert!(
        refusal
            .text()
            .ends_with(": 192.0.2.1 is not an address of this machine"),
        "{refusal}"
    );
    let refusal = refused(ConnectArgs {
        url: Some(String::from("mqtt://[::1]:9")),
        ..words
    })
    .await;
    assert!(refusal.text().contains("has no IPv4 address"), "{refusal}");
}

#[tokio::test]
async fn a_silent_server_times_out() {
    let port = scripted(silent).await;
    for url in [
        format!("mqtts://localhost:{port}"),
        format!("ws://127.0.0.1:{port}"),
    ] {
        let refusal = refused(quickly(to(url.clone()))).await;
        assert!(
            refusal.text().ends_with(": timed out after 50ms"),
            "{refusal}"
        );
        assert_eq!(refusal.exit_code(), 5);
    }
}

#[tokio::test]
async fn http_statuses_are_told() {
    for (port, words, code) in [
        (
            scripted(not_found).await,
            "server responded HTTP 404 Not Found instead of accepting the WebSocket",
            3,
        ),
        (
            scripted(unauthorized).await,
            "not authorised (HTTP 401 Unauthorized)",
            4,
        ),
        (
            scripted(fine).await,
            "server responded HTTP 200 OK instead of accepting the WebSocket",
            3,
        ),
        (
            scripted(mqtt).await,
            "server does not speak WebSocket: it is not HTTP",
            3,
        ),
        (
            scripted(hang_up).await,
            "server closed the connection during the WebSocket handshake",
            3,
        ),
    ] {
        let refusal = refused(to(format!("ws://127.0.0.1:{port}/x"))).await;
        let start = format!("cannot connect to ws://127.0.0.1:{port}/x: {words}");
        assert!(refusal.text().starts_with(&start), "{refusal}");
        assert_eq!(refusal.exit_code(), code, "{refusal}");
    }
}

#[tokio::test]
async fn tls_to_a_port_without() {
    for port in [
        scripted(fine).await,
        scripted(mqtt).await,
        scripted(hang_up).await,
    ] {
        let refusal = refused(to(format!("mqtts://localhost:{port}"))).await;
        assert!(
            refusal.text().contains(": server does not speak TLS"),
            "{refusal}"
        );
        assert!(refusal.hint_text().unwrap().contains("without TLS"));
        assert_eq!(refusal.exit_code(), 3);
    }
}

#[tokio::test]
async fn no_tls_to_a_port_with() {
    let keys = Keyring::new();
    let authority = keys.authority("ca");
    let (cert, key) = keys.signed("server", &["localhost"], &authority);
    let port = echoing(ListenOn {
        tls: Some(ServerTls {
            cert,
            key,
            client_ca: Some(keys.path("ca.pem")),
        }),
        ..ListenOn::plain(loopback())
    })
    .await;
    let target = resolved(to(format!("mqtt://localhost:{port}")));
    let mut stream = dial(&target).await.unwrap();
    stream
        .write_all(b"\x10\x0c\x00\x04MQTT\x04\x02\x00\x3c\x00\x00")
        .await
        .unwrap();
    let mut first = [0; 16];
    let read = stream.read(&mut first).await.unwrap();
    assert_eq!(diagnose::first_bytes(&first[..read]).unwrap().what, "TLS");

    let hint = diagnose::silent_close(&target).await.unwrap();
    assert_eq!(
        hint,
        format!("this looks like a TLS port; use mqtts://localhost:{port}")
    );
    for port in [
        scripted(hang_up).await,
        scripted(fine).await,
        scripted(mqtt).await,
    ] {
        let plain = resolved(to(format!("mqtt://localhost:{port}")));
        assert_eq!(diagnose::silent_close(&plain).await, None);
    }
}

#[tokio::test]
async fn a_lost_connection_is_told() {
    let target = resolved(to(String::from("mqtt://h")));
    let reset = std::io::Error::from_raw_os_error(104);
    let told = failure(&target, &reset);
    assert_eq!(
        told.text(),
        "connection to mqtt://h:1883 lost: connection reset by peer"
    );
    assert_eq!(told.exit_code(), 6);
}
