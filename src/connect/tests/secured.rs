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

fn trusting(port: u16, cafile: PathBuf) -> ConnectArgs {
    ConnectArgs {
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
            .ends_with(": certificate is not valid yet, only in 2 hours"),
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
    assert!(refusal.hint_text().unwrap().contains("--tls-server-name"));

    let named = ConnectArgs {
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
        refusal.hint_text(),
        Some("use --cafile FILE to trust its issuer, or --insecure to skip verification")
    );

    let folder = ConnectArgs {
        capath: Some(keys.path("")),
        cafile: None,
        ..trusting(port, PathBuf::new())
    };
    round_trip(&mut dialled(folder).await.unwrap(), b"hello").await;
    let insecure = ConnectArgs {
        insecure: Some(true),
        ..to(format!("mqtts://localhost:{port}"))
    };
    assert!(resolved(insecure.clone()).is_insecure());
    round_trip(&mut dialled(insecure).await.unwrap(), b"hello").await;
}

/// Its key would otherwise speak for every name.
#[tokio::test]
async fn a_trusted_server_signs_no_others() {
    let keys = Keyring::new();
    let key = KeyPair::generate().unwrap();
    for (number, is_ca) in [IsCa::NoCa, IsCa::ExplicitNoCa].into_iter().enumerate() {
        let mut params = CertificateParams::new([String::from("sensor.example")]).unwrap();
        params.is_ca = is_ca;
        params.distinguished_name.push(DnType::CommonName, "sensor");
        let own = params.self_signed(&key).unwrap().pem();
        let own = keys.write("sensor.crt", &own);
        let issuer = Issuer::new(params, KeyPair::try_from(key.serialize_der()).unwrap());
        let forged = keys.signed(&format!("forged{number}"), &["localhost"], &issuer);
        let refusal = refused(trusting(secured(forged, None).await, own)).await;
        let words = "certificate is signed by an unknown issuer (CN=sensor)";
        assert!(refusal.text().contains(words), "{refusal}");
        assert_eq!(refusal.exit_code(), 3);
    }
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

    let elsewhere = ConnectArgs {
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
    let with = |(cert, key): (PathBuf, PathBuf)| ConnectArgs {
        cert: Some(cert),
        key: Some(key),
        ..trusting(port, keys.path("ca.pem"))
    };
    let mut stream = dialled(with(keys.signed("client", &["me"], &authority)))
        .await
        .unwrap();
    round_trip(&mut stream, b"hello").await;

    for version in [TlsVersion::V12, TlsVersion::V13] {
        let none = ConnectArgs {
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
        assert!(refusal.hint_text().unwrap().contains("--cert FILE"));
        assert_eq!(refusal.exit_code(), 3);
    }

    let refusal = refused_late(with(keys.signed("wrong", &["me"], &stranger))).await;
    assert!(
        refusal
            .text()
            .ends_with("server does not trust the client certificate (unknown CA)"),
        "{refusal}"
    );
}

/// With TLS 1.3 the refusal comes with the first read.
async fn refused_late(words: ConnectArgs) -> Error {
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
        let words = ConnectArgs {
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
async fn coap_over_tls_says_so_by_alpn() {
    let keys = Keyring::new();
    let authority = keys.authority("ca");
    let (cert, key) = keys.signed("server", &["localhost"], &authority);
    let names_it = echoing(ListenOn {
        protocol: Protocol::Coap,
        tls: Some(ServerTls {
            cert: cert.clone(),
            key: key.clone(),
            client_ca: None,
        }),
        ..ListenOn::plain(loopback())
    });
    let names_none = secured((cert, key), None);
    for (port, agreed) in [
        (names_it.await, Some(&b"coap"[..])),
        (names_none.await, None),
    ] {
        let words = ConnectArgs {
            cafile: Some(keys.path("ca.pem")),
            ..to(format!("coaps+tcp://localhost:{port}"))
        };
        let environment = Environment::of::<String, String>([]);
        let target = words.resolve(Protocol::Coap, &environment).unwrap();
        let stream = dial(&target).await.unwrap();
        assert_eq!(stream.alpn(), agreed);
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

/// A certificate of X.509 version 1 with its key, valid for a century, as `openssl x509 -req` makes it when it is told no
/// more than that; rcgen makes none.
const VERSION_1: &str = include_str!("version_1.pem");

#[tokio::test]
async fn an_authority_that_is_out_of_date_signs_nothing() {
    let keys = Keyring::new();
    let day = 86_400;
    let key = KeyPair::generate().unwrap();
    let authority = |file: &str, from: i64, until: i64| {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name = rcgen::DistinguishedName::new();
        params.distinguished_name.push(DnType::CommonName, "ages");
        (params.not_before, params.not_after) = (moment(from).into(), moment(until).into());
        let text = params.self_signed(&key).unwrap().pem();
        keys.write(file, &text);
        (params, text)
    };
    let (params, expired) = authority("expired.pem", -9 * day, -3 * day - 60);
    let (_, early) = authority("early.pem", 7260, 9 * day);
    let (_, current) = authority("current.pem", -day, day);
    let issuer = Issuer::new(params, KeyPair::try_from(key.serialize_der()).unwrap());
    let port = secured(keys.signed("server", &["localhost"], &issuer), None).await;
    for (file, why) in [
        ("expired.pem", "certificate expired 3 days ago"),
        ("early.pem", "certificate is not valid yet, only in 2 hours"),
    ] {
        let path = keys.path(file);
        let refusal = refused(trusting(port, path.clone())).await;
        let end = format!(": the CA certificate CN=ages in {}: {why}", path.display());
        assert!(refusal.text().ends_with(&end), "{refusal}");
        assert_eq!(refusal.exit_code(), 3);
    }
    // In a bundle those that are in date count.
    keys.authority("other");
    let other = fs::read_to_string(keys.path("other.pem")).unwrap();
    for bundle in [
        format!("{expired}{early}{current}"),
        format!("{other}{current}{expired}"),
    ] {
        let bundle = keys.write("bundle.pem", &bundle);
        round_trip(
            &mut dialled(trusting(port, bundle)).await.unwrap(),
            b"hello",
        )
        .await;
    }
    // And of a stranger the unknown issuer is told, not the dates of an authority that has nothing to do with it.
    let stranger = keys.authority("stranger");
    let port = secured(keys.signed("strange", &["localhost"], &stranger), None).await;
    let refusal = refused(trusting(port, keys.path("expired.pem"))).await;
    assert!(
        refusal.text().ends_with("unknown issuer (CN=stranger)"),
        "{refusal}"
    );

    // Of client certificates too.
    let server = || (keys.path("strange.crt"), keys.path("strange.key"));
    let (cert, key) = keys.signed("client", &["me"], &issuer);
    for (client_ca, accepted) in [("expired.pem", false), ("current.pem", true)] {
        let port = secured(server(), Some(keys.path(client_ca))).await;
        let words = ConnectArgs {
            cert: Some(cert.clone()),
            key: Some(key.clone()),
            tls_version: Some(TlsVersion::V12),
            ..trusting(port, keys.path("stranger.pem"))
        };
        let dialled = dialled(words).await;
        assert_eq!(
            dialled.is_ok(),
            accepted,
            "{client_ca}: {:?}",
            dialled.err()
        );
    }
}

/// Certificates that no chain makes good, each with its issuer's file and the words of its refusal.
fn odd_certificates(keys: &Keyring) -> Vec<(&'static str, PathBuf, PathBuf, PathBuf)> {
    let authority = keys.authority("ca");
    let ca = keys.path("ca.pem");
    let odd = |name: &str, hosts: &[&str], is_ca| {
        let key = KeyPair::generate().unwrap();
        let hosts: Vec<String> = hosts.iter().map(|&host| host.to_owned()).collect();
        let mut params = CertificateParams::new(hosts).unwrap();
        params.is_ca = is_ca;
        let certificate = params.signed_by(&key, &authority).unwrap();
        (
            keys.write(&format!("{name}.crt"), &certificate.pem()),
            keys.write(&format!("{name}.key"), &key.serialize_pem()),
        )
    };
    let version_1 = keys.write("version_1.pem", VERSION_1);
    let (nameless, nameless_key) = odd("nameless", &[], IsCa::NoCa);
    let constraints = BasicConstraints::Unconstrained;
    let (authority, authority_key) = odd("authority", &["localhost"], IsCa::Ca(constraints));
    vec![
        (
            "certificate has the outdated X.509 version 1, without names to verify",
            version_1.clone(),
            version_1,
            ca.clone(),
        ),
        (
            "certificate has no host name (subjectAltName)",
            nameless,
            nameless_key,
            ca.clone(),
        ),
        (
            "certificate is a CA certificate (CA:TRUE), which a server or client may not present",
            authority,
            authority_key,
            ca,
        ),
    ]
}

#[tokio::test]
async fn a_certificate_that_is_named_itself_suffices() {
    let keys = Keyring::new();
    for (why, cert, key, ca) in odd_certificates(&keys) {
        let port = secured((cert.clone(), key), None).await;
        let refusal = refused(trusting(port, ca)).await;
        assert!(refusal.text().ends_with(why), "{refusal}");
        let hint = refusal.hint_text().unwrap();
        assert!(
            hint.contains("--cafile with the server's own certificate"),
            "{hint}"
        );
        assert!(hint.contains("subjectAltName=DNS:"), "{hint}");
        for version in [TlsVersion::V12, TlsVersion::V13] {
            let words = ConnectArgs {
                tls_version: Some(version),
                ..trusting(port, cert.clone())
            };
            round_trip(&mut dialled(words).await.unwrap(), b"hello").await;
        }
    }
    // Not another one with the same key or name, and not when it has expired.
    let authority = keys.authority("ca");
    let (cert, key) = keys.dated("old", &[], &authority, (-9, -3));
    let refusal = refused(trusting(secured((cert.clone(), key), None).await, cert)).await;
    assert!(
        refusal.text().contains(": certificate expired"),
        "{refusal}"
    );
    let version_1 = keys.write("version_1.pem", VERSION_1);
    let (other, key) = keys.signed("other", &[], &authority);
    let port = secured((other, key), None).await;
    let refusal = refused(trusting(port, version_1)).await;
    assert!(refusal.text().contains("unknown issuer"), "{refusal}");
}

#[tokio::test]
async fn a_client_certificate_that_is_named_itself_suffices() {
    let keys = Keyring::new();
    for (_, cert, key, ca) in odd_certificates(&keys) {
        let authority = keys.authority("server-ca");
        let server = keys.signed("server", &["localhost"], &authority);
        let words = |port, version| ConnectArgs {
            cert: Some(cert.clone()),
            key: Some(key.clone()),
            tls_version: Some(version),
            ..trusting(port, keys.path("server-ca.pem"))
        };
        let port = secured(server.clone(), Some(cert.clone())).await;
        for version in [TlsVersion::V12, TlsVersion::V13] {
            let mut stream = dialled(words(port, version)).await.unwrap();
            round_trip(&mut stream, b"hello").await;
        }
        // One without names is as good as any other where only its issuer is asked for.
        if !cert.ends_with("nameless.crt") {
            let port = secured(server, Some(ca)).await;
            let refusal = refused_late(words(port, TlsVersion::V13)).await;
            assert!(
                refusal.text().contains("rejected the client certificate"),
                "{refusal}"
            );
        }
        let stranger = keys.signed("stranger", &[], &keys.authority("strange-ca"));
        let port = secured(stranger, Some(cert.clone())).await;
        let none = ConnectArgs {
            tls_version: Some(TlsVersion::V12),
            ..trusting(port, keys.path("strange-ca.pem"))
        };
        assert!(dialled(none).await.is_err());
    }
}

#[tokio::test]
async fn a_refusal_is_not_taken_for_a_question() {
    // A TLS server that has no cipher in common: a fatal alert, handshake_failure (RFC 8446 §6.2).
    async fn refuse(mut stream: TcpStream) {
        let _ = stream.read(&mut [0; 4096]).await;
        let _ = stream.write_all(&[0x15, 3, 3, 0, 2, 2, 40]).await;
    }
    let port = scripted(refuse).await;
    let refusal = refused(to(format!("mqtts://localhost:{port}"))).await;
    assert!(
        refusal.text().contains("server rejected the TLS handshake"),
        "{refusal}"
    );
    let shown = format!("{refusal} {:?}", refusal.hint_text());
    assert!(!shown.contains("client certificate"), "{shown}");
}
