//! What the server side promises: names in errors, and no client that delays another.

use std::fs;
use std::os::unix::net::UnixListener;

use super::*;

#[test]
fn addresses_are_read() {
    for (text, shown) in [
        ("127.0.0.1:1883", "127.0.0.1:1883"),
        ("[::1]:0", "[::1]:0"),
        (":1883", "[::]:1883"),
        ("localhost:1", "127.0.0.1:1"),
        ("[fe80::1%lo]:5", "[fe80::1%1]:5"),
        ("[fe80::1%7]:5", "[fe80::1%7]:5"),
        ("unix:/run/s", "unix:/run/s"),
        ("unix:///run/s", "unix:/run/s"),
    ] {
        assert_eq!(text.parse::<ListenAddress>().unwrap().to_string(), shown);
    }
    for text in [
        "",
        "1883",
        "127.0.0.1",
        "127.0.0.1:x",
        "127.0.0.1:70000",
        "[fe80::1%no-such]:5",
        "[fe80::1%]:5",
        "unix:",
    ] {
        assert!(
            text.parse::<ListenAddress>().unwrap_err().contains(text),
            "{text}"
        );
    }
}

#[tokio::test]
async fn an_address_in_use_is_named() {
    let first = Listener::bind(&ListenOn::plain(loopback())).await.unwrap();
    let refusal = Listener::bind(&ListenOn::plain(first.local_addr().clone()))
        .await
        .unwrap_err();
    assert_eq!(
        refusal.text(),
        format!(
            "cannot listen on {}: address already in use",
            first.local_addr()
        )
    );
    assert_eq!(refusal.exit_code(), 8);
}

#[tokio::test]
async fn a_stale_socket_file_is_replaced_and_a_live_one_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s");
    drop(UnixListener::bind(&path).unwrap());
    let on = ListenOn::plain(ListenAddress::Unix(path));
    let first = Listener::bind(&on).await.unwrap();
    let refusal = Listener::bind(&on).await.unwrap_err();
    assert!(
        refusal.text().ends_with("address already in use"),
        "{refusal}"
    );
    drop(first);
    Listener::bind(&on).await.unwrap();
}

#[tokio::test]
async fn only_sockets_are_ever_removed() {
    let folder = tempfile::tempdir().unwrap();
    let (path, target) = (folder.path().join("s"), folder.path().join("t"));
    let on = ListenOn::plain(ListenAddress::Unix(path.clone()));
    fs::write(&path, "precious").unwrap();
    let refusal = Listener::bind(&on).await.unwrap_err();
    let shown = path.display();
    assert_eq!(
        refusal.text(),
        format!("cannot listen on unix:{shown}: there is a file that is not a socket")
    );
    assert_eq!(fs::read(&path).unwrap(), b"precious");
    fs::remove_file(&path).unwrap();
    // A link is left alone even when it leads to a socket that nobody listens on.
    drop(UnixListener::bind(&target).unwrap());
    std::os::unix::fs::symlink(&target, &path).unwrap();
    Listener::bind(&on).await.unwrap_err();
    assert!(target.exists());
    fs::remove_file(&path).unwrap();
    // What took the place of our own socket meanwhile stays.
    let listener = Listener::bind(&on).await.unwrap();
    fs::remove_file(&path).unwrap();
    let other = UnixListener::bind(&path).unwrap();
    drop(listener);
    assert!(path.exists());
    drop(other);
    // Our own does not.
    drop(Listener::bind(&on).await.unwrap());
    assert!(!path.exists());
}

#[tokio::test]
async fn a_slow_client_delays_nobody() {
    let keys = Keyring::new();
    let authority = keys.authority("ca");
    let (cert, key) = keys.signed("server", &["localhost"], &authority);
    let port = echoing(ListenOn {
        tls: Some(ServerTls {
            cert,
            key,
            client_ca: None,
        }),
        ..ListenOn::plain(loopback())
    })
    .await;
    let _slow = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    let words = ConnectArgs {
        cafile: Some(keys.path("ca.pem")),
        ..to(format!("mqtts://localhost:{port}"))
    };
    round_trip(&mut dialled(words).await.unwrap(), b"hello").await;
}

#[tokio::test]
async fn handshakes_that_fail_name_the_client() {
    let listener = Listener::bind(&ListenOn {
        websocket: true,
        ..ListenOn::plain(loopback())
    })
    .await
    .unwrap();
    let mut client = TcpStream::connect(("127.0.0.1", port(&listener)))
        .await
        .unwrap();
    client
        .write_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        .await
        .unwrap();
    let incoming = listener.accept().await.unwrap();
    let peer = incoming.peer().to_owned();
    let refusal = incoming.ready().await.unwrap_err();
    assert_eq!(
        refusal.text(),
        format!("WebSocket handshake with {peer} failed: not a WebSocket handshake")
    );
    let mut answer = String::new();
    client.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 426 "), "{answer}");
}
