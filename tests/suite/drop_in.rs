//! mosquitto_pub, mosquitto_sub and mosquitto_rr: ours beside the originals (2.0.11), to the letter.

use std::fs;
use std::os::unix::fs::symlink;

use tempfile::TempDir;

use crate::support::command::{Ended, Line, Running, iotctl, program};
use crate::support::mosquitto::{Mosquitto, Settings, mosquitto};
use crate::support::peer::{Peer, packet, read_packet, send, welcome};

/// The original and ours.
fn both(client: &str, words: &str) -> [Line; 2] {
    [program(client, words), iotctl(&format!("{client} {words}"))]
}

fn place(broker: &Mosquitto) -> String {
    format!("-h 127.0.0.1 -p {}", broker.port)
}

/// What one of them left behind, without what differs by nature.
fn left(ended: &Ended) -> (i32, String) {
    let text = String::from_utf8_lossy(&ended.stdout);
    // In place of an identifier that the server has made up.
    let auto = text.find("auto-").map(|at| text[at..at + 41].to_owned());
    (
        ended.code,
        auto.map_or_else(|| text.to_string(), |auto| text.replace(&auto, "AUTO")),
    )
}

/// What was sent and what was received, each in its order: with several messages under way, which
/// of the two comes first is up to the scheduler, in the original too.
fn by_direction(ended: &Ended) -> (i32, Vec<String>, Vec<String>) {
    let (code, text) = left(ended);
    let (sent, received) = text
        .lines()
        .map(str::to_owned)
        .partition(|line| line.contains(" sending "));
    (code, sent, received)
}

#[track_caller]
fn same(client: &str, words: &str, input: Option<&str>) {
    let [theirs, ours] = both(client, words).map(|line| match input {
        Some(text) => line.input(text).run(),
        None => line.run(),
    });
    assert_eq!(
        left(&ours),
        left(&theirs),
        "{client} {words}\n{}",
        ours.stderr
    );
}

#[test]
fn option_errors_are_the_same_to_the_letter() {
    for (client, lines) in [
        (
            "mosquitto_pub",
            "-A\n-f\n-h\n-i\n-I\n-k\n-k 4\n-k 65536\n-k x\n-L\n-m\n-M\n-M 0\n-p\n-p -1\n-p 65536\n-P\n-q\n-q 3\n--repeat\n--repeat 0\n\
             --repeat-delay\n--repeat-delay -1\n-t\n-t a/+\n-t a/#\n-u\n--unix\n-V\n-V 6\n--will-payload\n--will-payload x\n--will-qos\n\
             --will-qos 3\n--will-retain\n--will-topic\n--will-topic #\n-x\n-x a\n-x -2\n-x 4294967296\n-D\n-D connect\n-D connect receive-maximum\n\
             -D connect will-delay-interval 1\n-D connect user-property key\n\
             -D connect receive-maximum 65536\n-D connect session-expiry-interval -1\n-D publish subscription-identifier 1\n\
             -i a -I b\n-I a -i b\n-m a -f b\n-m a -l\n-l -n\n-s -l\n-V mqttv5 -x -1\n-c\n--cert a\n--key a\n--keyform pem\n--cafile\n--capath\n\
             --tls-version\n--psk a\n--cafile a --psk b\n--tls-engine-kpass-sha1 a\n--proxy\n--unknown\n-C 1\n-v\n-N\nword\n-t a -n extra",
        ),
        (
            "mosquitto_sub",
            "-C\n-C 0\n-F\n-F %\n-F %0\n-F %-\n-F %5\n-F %.\n-F %.3\n-F %Z\n-F @\n-F \\\n-F \\z\n-T\n-T ++\n-U\n-U ++\n-t ++\n-W\n-W 0\n-r\n-l\n-m a\n\
             --random-filter\n--random-filter 0\n-e a\n--repeat 1\n-D auth authentication-method a\n-D puback reason-string a\n\
             -t a -V mqttv31 -c",
        ),
        (
            "mosquitto_rr",
            "-e\n-e a/+\n-t a -e b -m c -V 5 -D publish response-topic d\n-t a -m b\n-m a -f b\n-l\n-r\n-C 1\n-T a",
        ),
    ] {
        for words in lines.lines().map(str::trim) {
            let [theirs, ours] = both(client, words).map(Line::run);
            assert_eq!(ours.stderr, theirs.stderr, "{client} {words}");
            assert_eq!(
                (ours.code, &ours.stdout),
                (theirs.code, &theirs.stdout),
                "{client} {words}"
            );
        }
    }
}

#[test]
fn pages_that_are_asked_for_exit_as_theirs_do() {
    for client in ["mosquitto_pub", "mosquitto_sub", "mosquitto_rr"] {
        for words in ["--help", "--version"] {
            iotctl(&format!("{client} {words}"))
                .run()
                .exits(1)
                .quietly()
                .contains(client);
        }
    }
    iotctl("mosquitto_pub -t a")
        .run()
        .exits(1)
        .says_only("Error: Both topic and message must be supplied.\n")
        .contains("Usage: mosquitto_pub");
}

#[test]
fn publishing_is_the_same_with_its_packets() {
    let broker = mosquitto();
    let place = place(&broker);
    for words in [
        "-t a -m hello -d",
        "-t a -m hello -d -q 1 -i me",
        "-t a -m hello -d -q 2 -V 5 -i me",
        "-t a -n -r -d -V mqttv311 -i me",
        "-t a -m x -d --repeat 3 -i me",
        "-t a -m x -q 1 -d -V 5 -D publish user-property k v --will-topic w --will-payload p",
        "-I prefix- -t a -m x",
    ] {
        same("mosquitto_pub", &format!("{place} {words}"), None);
    }
    let [theirs, ours] = both("mosquitto_pub", &format!("{place} -t a -l -q 1 -d -i me"))
        .map(|line| by_direction(&line.input("one\n\nthree").run()));
    assert_eq!(ours, theirs);
    same(
        "mosquitto_pub",
        &format!("{place} -t a -s -d -i me"),
        Some("all\nof it\n"),
    );
    same("mosquitto_pub", &format!("{place} -t a -s"), Some(""));
}

#[test]
fn what_is_shown_is_the_same() {
    let broker = mosquitto();
    let place = place(&broker);
    broker.iotctl("pub -t s/a -r -q 1 -m 21.5").run().exits(0);
    broker
        .iotctl("pub -t s/b -r -q 1 --hex -m 00ff41")
        .run()
        .exits(0);
    let properties = "-V 5 -D publish content-type text/plain -D publish response-topic r -D publish user-property k v -D publish user-property k w -D publish payload-format-indicator 1";
    broker
        .iotctl(&format!("pub -t s/c -r -q 1 -m x {properties}"))
        .run()
        .exits(0);
    for words in [
        "-t s/a -C 1",
        "-t s/a -C 1 -v",
        "-t s/a -C 1 -N",
        "-t s/# -C 3 -v -q 1",
        "-t s/a -t s/b -T s/b -C 1 -W 2",
        "-t s/# -T s/+ -W 1",
        "-t s/# -R -W 1",
        "-t s/a -t s/b -C 2 -d -i me -V 5",
        "-t s/a -E -d -i me -q 2",
        "-t s/a -U s/b -C 1 -d -i me",
        "-t s/c -C 1 -V 5 -F %t|%C|%R|%P|%F|%E|%A|%S|%q|%r|%l|%m",
        "-t s/c -C 1 -V 5 -D subscribe subscription-identifier 7 -F %S",
        "-t s/b -C 1 -F %x|%X|%p|%5p|%-5p|",
        "-t s/a -C 1 -F %10t|%-10t|%.2t|%6.2t|%-6.2t|%05l|%5l|%-5l|",
        "-t s/a -C 1 -F @Y-@m-@d\\t@@\\\\%%\\n -N",
    ] {
        same("mosquitto_sub", &format!("{place} {words}"), None);
    }
    let nothing = format!("{place} -t s/a -C 1 -W 1 -R");
    iotctl(&format!("mosquitto_sub {nothing}"))
        .run()
        .exits(27)
        .says_only("Timed out\n");
}

/// Both are subscribed, and get what is published then.
fn heard(broker: &Mosquitto, words: &str, publish: impl Fn()) -> [Ended; 2] {
    let place = place(broker);
    let mut subscribed = 0;
    both("mosquitto_sub", &format!("{place} {words}")).map(|line| {
        let running = line.start();
        subscribed += 1;
        broker.sees_subscriptions("live", subscribed);
        publish();
        running.ends_by_itself()
    })
}

#[test]
fn empty_messages_are_shown_as_theirs_are() {
    for words in ["-t live -C 2 -v", "-t live -C 2", "-t live -C 2 -v -N"] {
        let broker = mosquitto();
        let [theirs, ours] = heard(&broker, words, || {
            broker.iotctl("pub -t live -n -q 1").run().exits(0);
            broker.iotctl("pub -t live -m x -q 1").run().exits(0);
        });
        assert_eq!(left(&ours), left(&theirs), "{words}");
    }
}

#[test]
fn refused_connections_have_their_codes() {
    let broker = Mosquitto::start(Settings {
        users: vec![("me", "right")],
        ..Settings::default()
    });
    let place = place(&broker);
    for words in [
        "-u me -P wrong",
        "-V 5 -u me -P wrong",
        "-V mqttv31 -u me -P wrong",
    ] {
        same("mosquitto_pub", &format!("{place} -t a -m x {words}"), None);
        same("mosquitto_sub", &format!("{place} -t a {words}"), None);
    }
    same("mosquitto_pub", "-h 127.0.0.1 -p 1 -t a -m x", None);
    same("mosquitto_sub", "-h nohost.invalid -t a", None);
    iotctl(&format!("mosquitto_sub {place} -t a -u me -P wrong"))
        .run()
        .exits(5)
        .says_only("Connection error: Connection Refused: not authorised.\n");
    iotctl(&format!(
        "mosquitto_sub {place} -t a -u me -P wrong --quiet"
    ))
    .run()
    .exits(5)
    .quietly();
}

/// How both fail there; what ours says beyond theirs.
#[track_caller]
fn fails(client: &str, place: &str, code: i32) -> String {
    let words = match client {
        "mosquitto_pub" => format!("{place} -t a -m x"),
        "mosquitto_rr" => format!("{place} -t a -e b -m x -W 20"),
        _ => format!("{place} -t a"),
    };
    let [theirs, ours] = both(client, &words).map(Line::run);
    let (said, wanted) = (&ours.stderr, &theirs.stderr);
    let codes = (ours.code, theirs.code);
    assert_eq!(codes, (code, code), "{client} {place}: {said} | {wanted}");
    match said.strip_prefix(wanted) {
        Some(more) => more.to_owned(),
        None => panic!("{client} {place}: {said} | {wanted}"),
    }
}

/// A second line names the server and the reason.
#[test]
fn failures_to_connect_have_their_codes_and_words() {
    let broker = Mosquitto::start(Settings {
        users: vec![("me", "right")],
        ..Settings::default()
    });
    for client in ["mosquitto_pub", "mosquitto_sub", "mosquitto_rr"] {
        assert_eq!(
            fails(client, "-h 127.0.0.1 -p 1", 1),
            "cannot connect to mqtt://127.0.0.1:1: connection refused\n"
        );
        fails(client, "--unix /nonexistent/socket", 1);
        fails(client, "-h nohost.invalid", 1);
    }
    for (version, code) in [("mqttv31", 5), ("311", 5), ("5", 135)] {
        let words = format!("{} -u me -P no -V {version}", place(&broker));
        for client in ["mosquitto_pub", "mosquitto_sub"] {
            assert_eq!(fails(client, &words, code), "");
            assert_eq!(fails(client, &format!("{words} --quiet"), code), "");
        }
    }
    // Without TLS at a port with it; theirs tries for ever in mosquitto_sub.
    let words = format!("-h 127.0.0.1 -p {}", broker.tls_port);
    for client in ["mosquitto_pub", "mosquitto_rr"] {
        let more = fails(client, &words, 7);
        assert!(more.contains("closed the connection without"), "{more}");
    }
    let ours = iotctl(&format!("mosquitto_sub {words} -t a")).run();
    ours.exits(7).says("Error: The connection was lost.\n");
    // With TLS at one without it; theirs is now 1 and now 8, as it is seen sooner or later.
    let ca = broker.certificates.ca.display();
    let words = format!("-h localhost -p {} --cafile {ca}", broker.port);
    let ours = iotctl(&format!("mosquitto_pub {words} -t a -m x")).run();
    ours.exits(8).says("Error: A TLS error occurred.\n");
}

#[test]
fn broken_connections_have_their_codes_and_words() {
    // What no server says.
    let wrong = Peer::start(|stream, _| {
        drop(read_packet(stream));
        send(stream, &[0xff; 8]);
        while read_packet(stream).is_some() {}
    });
    fails(
        "mosquitto_pub",
        &format!("-h 127.0.0.1 -p {}", wrong.port),
        2,
    );
    // A broker that is killed while a request waits for its response.
    let mut broker = mosquitto();
    let words = format!("{} -t a -e answers -m x", place(&broker));
    let waiting = both("mosquitto_rr", &words).map(Line::start);
    broker.sees_subscriptions("answers", 2);
    broker.kill();
    let [theirs, ours] = waiting.map(Running::ends_by_itself);
    assert_eq!((ours.code, theirs.code), (7, 7));
    assert!(ours.stderr.starts_with(&theirs.stderr), "{}", ours.stderr);
}

#[test]
fn nothing_is_lost_where_theirs_loses() {
    let broker = Mosquitto::start(Settings {
        more: String::from("max_queued_messages 0\n"),
        ..Settings::default()
    });
    // Of these 2.1.2 loses 16 000; 2.0.11 needs more than 65 535 for it.
    let lines: String = (0..20_000).map(|number| format!("{number}\n")).collect();
    let place = place(&broker);
    let running = iotctl(&format!("mosquitto_sub {place} -t bulk -q 1 -C 20000")).start();
    broker.sees_subscriptions("bulk", 1);
    iotctl(&format!("mosquitto_pub {place} -t bulk -q 1 -l"))
        .input(lines.clone())
        .run()
        .exits(0);
    let ended = running.ends_by_itself().exits(0);
    assert!(ended.text() == lines, "{} bytes", ended.stdout.len());
}

#[test]
fn a_retained_message_is_removed_once_it_was_shown() {
    let broker = mosquitto();
    let place = place(&broker);
    broker.iotctl("pub -t old/a -r -q 1 -m 1").run().exits(0);
    broker.iotctl("pub -t old/b -r -q 1 -m 2").run().exits(0);
    iotctl(&format!(
        "mosquitto_sub {place} -t old/# -T old/b --remove-retained -v -C 1"
    ))
    .run()
    .exits(0)
    .prints("old/a 1\n");
    iotctl(&format!("mosquitto_sub {place} -t old/# -v -W 1"))
        .run()
        .exits(27)
        .prints("old/b 2\n");
}

#[test]
fn signals_end_them_as_they_end_theirs() {
    let broker = mosquitto();
    let place = place(&broker);
    let running = iotctl(&format!("mosquitto_sub {place} -t live")).start();
    broker.sees_subscriptions("live", 1);
    running.signal("INT");
    running.ends().exits(0).quietly();
}

#[test]
fn the_rate_is_shown_each_second() {
    let broker = mosquitto();
    let place = place(&broker);
    let mut running: Running =
        iotctl(&format!("mosquitto_sub {place} -t live --message-rate")).start();
    broker.sees_subscriptions("live", 1);
    broker.iotctl("pub -t live -m x --repeat 5").run().exits(0);
    let mut counted = 0;
    while counted < 5 {
        let line = running.line();
        let count = line
            .strip_suffix(" msgs/s")
            .and_then(|count| count.parse::<u32>().ok());
        counted += count.unwrap_or_else(|| panic!("{line:?}"));
    }
    assert_eq!(counted, 5);
}

#[test]
fn a_link_is_the_client_and_is_made_once() {
    let broker = mosquitto();
    let folder = TempDir::new().unwrap();
    let links = folder.path().join("bin");
    let install = || iotctl("install --links").word(&links).run();
    let said = format!("there is no directory {}", links.display());
    install().exits(8).says(&said);
    fs::create_dir(&links).unwrap();
    let made = install().exits(0);
    assert_eq!(made.text().lines().count(), 3, "{}", made.text());
    install().exits(0).prints("");
    let link = links.join("mosquitto_pub");
    program(
        link.to_str().unwrap(),
        &format!("{} -t a -m x -d -i me", place(&broker)),
    )
    .run()
    .exits(0)
    .contains("Client me sending PUBLISH (d0, q0, r0, m1, 'a', ... (1 bytes))\n");
    fs::remove_file(&link).unwrap();
    symlink("/bin/true", &link).unwrap();
    install()
        .exits(1)
        .says("mosquitto_pub exists, and is not a link to this program");
}

#[test]
fn options_come_from_files() {
    let broker = mosquitto();
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("mosquitto_pub");
    fs::write(
        &file,
        format!(
            "# where\n-h 127.0.0.1\n-p {}\n-t a\n-m from a file\n",
            broker.port
        ),
    )
    .unwrap();
    let line = || iotctl("mosquitto_pub -d -i me");
    let sent = "sending PUBLISH (d0, q0, r0, m1, 'a', ... (11 bytes))";
    line()
        .env("XDG_CONFIG_HOME", folder.path())
        .run()
        .exits(0)
        .contains(sent);
    line().words("-o").word(&file).run().exits(0).contains(sent);
    line()
        .words("-o /nonexistent/options")
        .run()
        .exits(1)
        .says("cannot read /nonexistent/options");
}

#[test]
fn our_environment_is_not_theirs() {
    let broker = mosquitto();
    let line = format!("mosquitto_pub {} -t a -m x", place(&broker));
    iotctl(&line)
        .env("IOTCTL_URL", "mqtts://elsewhere.invalid")
        .env("IOTCTL_RETRY", "soon")
        .run()
        .exits(0)
        .quietly();
}

#[test]
fn a_request_gets_its_response() {
    let broker = mosquitto();
    let place = place(&broker);
    let mut subscribed = 0;
    for version in ["31", "311", "5"] {
        let answers = both(
            "mosquitto_rr",
            &format!("{place} -V {version} -q 1 -t ask -e answer -m question -v"),
        );
        let answers = answers.map(|line| {
            let responder = broker.sub_line("-t ask -C 1 -W 20").start();
            subscribed += 1;
            broker.sees_subscriptions("ask", subscribed);
            let asking = line.start();
            responder.ends_by_itself().exits(0).prints("question\n");
            broker.pub_line("-t answer -q 1 -m told").run().exits(0);
            asking.ends_by_itself()
        });
        let [theirs, ours] = answers;
        assert_eq!(left(&ours), left(&theirs), "{version}");
        assert_eq!(ours.text(), "answer told\n");
    }
    iotctl(&format!(
        "mosquitto_rr {place} -t ask -e answer -n -W 1 -V 311"
    ))
    .run()
    .exits(27)
    .says_only("Timed out\n");
}

#[test]
fn silence_and_closed_connections_end_them() {
    let closing = Peer::start(|stream, _| drop(read_packet(stream)));
    iotctl(&format!(
        "mosquitto_sub -h 127.0.0.1 -p {} -t a",
        closing.port
    ))
    .run()
    .exits(7)
    .says("Error: ");
    // It takes no message, and never says so.
    let denying = Peer::start(|stream, _| {
        welcome(stream);
        drop(read_packet(stream));
    });
    let port = denying.port;
    iotctl(&format!(
        "mosquitto_pub -h 127.0.0.1 -p {port} -t a -m x -q 1"
    ))
    .run()
    .exits(7)
    .says("Error: ");
    let unread = Peer::start(|stream, _| {
        welcome(stream);
        drop(read_packet(stream));
        // SUBACK that denies all.
        send(stream, &packet(0x90, &[0, 1, 0x80]));
        drop(read_packet(stream));
    });
    iotctl(&format!(
        "mosquitto_sub -h 127.0.0.1 -p {} -t a",
        unread.port
    ))
    .run()
    .exits(0)
    .says("Warning: ");
}

#[test]
fn a_socks_proxy_leads_there() {
    let broker = mosquitto();
    let (target, port) = (broker.port, broker.port.to_be_bytes());
    let proxy = Peer::start(move |client, _| {
        use std::io::{Read, Write};
        let mut greeting = [0; 4];
        client.read_exact(&mut greeting).unwrap();
        assert_eq!(greeting, [5, 2, 0, 2]);
        client.write_all(&[5, 2]).unwrap();
        let mut login = [0; 9];
        client.read_exact(&mut login).unwrap();
        assert_eq!(&login, b"\x01\x02me\x04p:w@");
        client.write_all(&[1, 0]).unwrap();
        let mut request = [0; 10];
        client.read_exact(&mut request).unwrap();
        assert_eq!(request, [5, 1, 0, 1, 127, 0, 0, 1, port[0], port[1]]);
        let mut server = std::net::TcpStream::connect(("127.0.0.1", target)).unwrap();
        client.write_all(&[5, 0, 0, 1, 0, 0, 0, 0, 0, 0]).unwrap();
        let (mut from, mut to) = (client.try_clone().unwrap(), server.try_clone().unwrap());
        let mut client = client.try_clone().unwrap();
        let back = std::thread::spawn(move || {
            let _ = std::io::copy(&mut server, &mut client);
            let _ = client.shutdown(std::net::Shutdown::Both);
        });
        let _ = std::io::copy(&mut from, &mut to);
        let _ = to.shutdown(std::net::Shutdown::Write);
        back.join().unwrap();
    });
    let words = format!(
        "-h 127.0.0.1 -p {target} -t a -m x -q 1 --proxy socks5h://me:p%3Aw%40@127.0.0.1:{}",
        proxy.port
    );
    iotctl(&format!("mqtt pub {words}")).run().exits(0);
    let refusing = Peer::start(|client, _| {
        use std::io::{Read, Write};
        let mut greeting = [0; 3];
        client.read_exact(&mut greeting).unwrap();
        client.write_all(&[5, 0]).unwrap();
        let mut request = [0; 10];
        client.read_exact(&mut request).unwrap();
        client.write_all(&[5, 5, 0, 1, 0, 0, 0, 0, 0, 0]).unwrap();
    });
    iotctl(&format!(
        "mqtt pub -h 127.0.0.1 -p 1 -t a -m x --proxy socks5h://127.0.0.1:{}",
        refusing.port
    ))
    .run()
    .exits(3)
    .says("through socks5h://127.0.0.1:")
    .says("connection refused");
    iotctl(&format!(
        "mqtt pub -h 127.0.0.1 -p 1 -t a -m x --proxy http://127.0.0.1:{target}"
    ))
    .run()
    .exits(3)
    .says("through http://127.0.0.1:");
}

#[test]
fn an_http_proxy_leads_there_or_says_why_not() {
    let broker = mosquitto();
    let target = broker.port;
    for (answer, code, words) in [
        (
            "HTTP/1.1 407 Proxy Authentication Required\r\n\r\n",
            4,
            "it requires a login",
        ),
        (
            "HTTP/1.0 403 Forbidden\r\n\r\n",
            3,
            "it answers HTTP 403 Forbidden",
        ),
        ("SSH-2.0-x\r\n\r\n", 3, "it does not speak HTTP"),
    ] {
        let proxy = Peer::start(move |client, _| {
            use std::io::{Read, Write};
            let mut head = [0; 60];
            let read = client.read(&mut head).unwrap();
            assert!(head[..read].starts_with(b"CONNECT 127.0.0.1:"));
            client.write_all(answer.as_bytes()).unwrap();
        });
        iotctl(&format!(
            "mqtt pub -h 127.0.0.1 -p {target} -t a -m x --proxy http://127.0.0.1:{}",
            proxy.port
        ))
        .run()
        .exits(code)
        .says(words);
    }
}

#[test]
fn tls_secrets_are_logged_where_that_is_asked_for() {
    let broker = mosquitto();
    let folder = TempDir::new().unwrap();
    let log = folder.path().join("keys");
    let ca = broker.certificates.ca.display().to_string();
    let line = || {
        iotctl(&format!(
            "mqtt pub mqtts://localhost:{} --cafile {ca} -t a -m x",
            broker.tls_port
        ))
    };
    line().words("--tls-keylog").word(&log).run().exits(0);
    let first = fs::read_to_string(&log).unwrap();
    assert!(first.contains("CLIENT_TRAFFIC_SECRET_0 "), "{first}");
    line().env("SSLKEYLOGFILE", &log).run().exits(0);
    assert!(fs::read_to_string(&log).unwrap().len() > first.len());
    line().env("SSLKEYLOGFILE", "/dev/null/keys").run().exits(0);
    line()
        .words("--tls-keylog /dev/null/keys")
        .run()
        .exits(8)
        .says("cannot write the TLS key log /dev/null/keys");
}

#[test]
fn a_certificate_for_another_name_is_accepted_on_request_only() {
    let broker = mosquitto();
    let (ca, port) = (broker.certificates.ca.display(), broker.tls_port);
    let other = format!("-h 127.0.0.1 -p {port} --cafile {ca} --tls-server-name other.example");
    let line = |more: &str| iotctl(&format!("mqtt pub {other} -t a -m x {more}")).run();
    line("").exits(3);
    line("--insecure-name")
        .exits(0)
        .says("is not verified (--insecure-name)");
    // Whom it is signed by matters all the same.
    let words = format!("mqtt pub -h 127.0.0.1 -p {port} -t a -m x --insecure-name");
    iotctl(&words).run().exits(3);
}
