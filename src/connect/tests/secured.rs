//! What TLS refusals say, each against a real server.

use super::*;

/// A TLS echo server with this identity; its port.
async fn secured((cert, key): (PathBuf, PathBuf), client_ca: Option<PathBuf>) -> u16 {
    echoing(ListenOn {
        tls: Some(ServerTls {
            cert,
            key,
            client_ca,
        }),
        ..ListenOn::plain(loopback())
    })
    .await
}

fn trusting(port: u16, cafile: PathBuf) -> Words {
    Words {
        cafile: Some(cafile),
        ..to(format!("mqtts://localhost:{port}"))
    }
}

#[tokio::test]
async fn expired() {
    let keys = Keyring::new();
    let authority = keys.authority("ca");
    let day = 86_400;
    let server = keys.dated(
        "server",
        &["localhost"],
        &authority,
        (-9 * day, -3 * day - 60),
    );
    let port = secured(server, None).await;
    let refusal = refused(trusting(port, keys.path("ca.pem"))).await;
    assert_eq!(
        refusal.text(),
        format!("cannot connect to mqtts://localhost:{port}: certificate expired 3 days ago")
    );
    assert_eq!(refusal.exit_code(), 3);
}

#[tokio::test]
async fn not_valid_yet() {
    let keys = Keyring::new();
    let authority = keys.authority("ca");
    let server = keys.dated(
        "server",
        &["localhost"],
        &authority,
        (2 * 3600 + 60, 9 * 3600),
    );
    let refusal = refused(trusting(secured(server, None).await, keys.path("ca.pem"))).await;
    assert!(
        refusal
            .text()
            .ends_with(": certificate is not valid yet, but in 2 hours"),
        "{refusal}"
    );
}

#[tokio::test]
async fn wrong_name_and_the_way_out() {
    let keys = Keyring::new();
    let authority = keys.authority("ca");
    let server = keys.signed("server", &["a.example", "b.example"], &authority);
    let port = secured(server, None).await;
    let words = trusting(port, keys.path("ca.pem"));
    let refusal = refused(words.clone()).await;
    assert!(
        refusal
            .text()
            .ends_with(": certificate is for \"a.example\" (and \"b.example\"), not \"localhost\""),
        "{refusal}"
    );
    assert!(refusal.way_out().unwrap().contains("--tls-server-name"));

    let named = Words {
        tls_server_name: Some(String::from("b.example")),
        ..words
    };
    round_trip(&mut dialled(named).await.unwrap(), b"hello").await;
}

#[tokio::test]
async fn unknown_issuer_and_the_ways_out() {
    let keys = Keyring::new();
    let authority = keys.authority("private");
    keys.authority("other");
    let port = secured(keys.signed("server", &["localhost"], &authority), None).await;
    let refusal = refused(trusting(port, keys.path("other.pem"))).await;
    assert!(
        refusal
            .text()
            .ends_with(": certificate is signed by an unknown issuer (CN=private)"),
        "{refusal}"
    );
    assert_eq!(
        refusal.way_out(),
        Some("--cafile FILE trusts its issuer; --insecure skips the check")
    );

    let folder = Words {
        capath: Some(keys.path("")),
        cafile: None,
        ..trusting(port, PathBuf::new())
    };
    round_trip(&mut dialled(folder).await.unwrap(), b"hello").await;
    let insecure = Words {
        insecure: Some(true),
        ..to(format!("mqtts://localhost:{port}"))
    };
    assert!(resolved(insecure.clone()).is_insecure());
    round_trip(&mut dialled(insecure).await.unwrap(), b"hello").await;
}

#[tokio::test]
async fn self_signed_and_the_way_out() {
    let keys = Keyring::new();
    // As `openssl req -x509` makes it: one certificate that says it is a CA and serves as the server's own.
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new([String::from("localhost")]).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, "lonely");
    let cert = keys.write("own.crt", &params.self_signed(&key).unwrap().pem());
    let key = keys.write("own.key", &key.serialize_pem());
    keys.authority("other");
    let port = secured((cert.clone(), key), None).await;

    let refusal = refused(trusting(port, keys.path("other.pem"))).await;
    assert!(
        refusal
            .text()
            .ends_with(": certificate is self-signed (CN=lonely)"),
        "{refusal}"
    );
    round_trip(
        &mut dialled(trusting(port, cert.clone())).await.unwrap(),
        b"hello",
    )
    .await;

    let elsewhere = Words {
        url: Some(format!("mqtts://127.0.0.1:{port}")),
        ..trusting(port, cert)
    };
    let refusal = refused(elsewhere).await;
    assert!(
        refusal
            .text()
            .ends_with("certificate is for \"localhost\", not \"127.0.0.1\""),
        "{refusal}"
    );
}

#[tokio::test]
async fn client_certificates() {
    let keys = Keyring::new();
    let authority = keys.authority("ca");
    let stranger = keys.authority("stranger");
    let server = keys.signed("server", &["localhost"], &authority);
    let port = secured(server, Some(keys.path("ca.pem"))).await;
    let with = |(cert, key): (PathBuf, PathBuf)| Words {
        cert: Some(cert),
        key: Some(key),
        ..trusting(port, keys.path("ca.pem"))
    };
    let mut stream = dialled(with(keys.signed("client", &["me"], &authority)))
        .await
        .unwrap();
    round_trip(&mut stream, b"hello").await;

    for version in [TlsVersion::V12, TlsVersion::V13] {
        let none = Words {
            tls_version: Some(version),
            ..trusting(port, keys.path("ca.pem"))
        };
        let refusal = refused_late(none).await;
        assert_eq!(
            refusal.text(),
            format!(
                "cannot connect to mqtts://localhost:{port}: server requires a client certificate"
            )
        );
        assert!(refusal.way_out().unwrap().contains("--cert FILE"));
        assert_eq!(refusal.exit_code(), 3);
    }

    let refusal = refused_late(with(keys.signed("wrong", &["me"], &stranger))).await;
    assert!(
        refusal
            .text()
            .ends_with("server does not trust our client certificate (unknown CA)"),
        "{refusal}"
    );
}

/// With TLS 1.3 the refusal comes with the first read.
async fn refused_late(words: Words) -> Error {
    let target = resolved(words);
    match dial(&target).await {
        Err(refusal) => refusal,
        Ok(mut stream) => failure(&target, &stream.read(&mut [0; 8]).await.unwrap_err()),
    }
}

#[tokio::test]
async fn tls_versions_and_alpn() {
    let keys = Keyring::new();
    let authority = keys.authority("ca");
    let port = secured(keys.signed("server", &["localhost"], &authority), None).await;
    for version in [TlsVersion::V12, TlsVersion::V13] {
        let words = Words {
            tls_version: Some(version),
            tls_alpn: vec![String::from("mqtt")],
            ..trusting(port, keys.path("ca.pem"))
        };
        let mut stream = dialled(words).await.unwrap();
        assert_eq!(stream.alpn(), None, "our listener chooses none");
        round_trip(&mut stream, b"hello").await;
    }
}

#[tokio::test]
async fn a_broken_certificate_in_a_file_is_found_before_connecting() {
    let keys = Keyring::new();
    let broken = keys.write(
        "broken.pem",
        "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
    );
    let refusal = resolved(trusting(1, broken)).prepare().unwrap_err();
    assert!(
        refusal.text().contains("broken.pem cannot be used"),
        "{refusal}"
    );
    assert_eq!(refusal.exit_code(), 2);
}

#[tokio::test]
async fn the_operating_system_s_roots_do_not_trust_a_private_authority() {
    let keys = Keyring::new();
    let authority = keys.authority("private");
    let port = secured(keys.signed("server", &["localhost"], &authority), None).await;
    let refusal = refused(to(format!("mqtts://localhost:{port}"))).await;
    assert!(
        refusal.text().ends_with("unknown issuer (CN=private)"),
        "{refusal}"
    );
}
