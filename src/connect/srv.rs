//! Who serves a domain: SRV records (RFC 2782), asked for over UDP and TCP (RFC 1035) from the servers of resolv.conf.
//!
//! The C library's resolver has no call for them that every system shares, and a full resolver of its own would be the
//! largest part of this program's network code.

use std::fs;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpStream, UdpSocket};
use tokio::time::timeout;

use crate::random::{Random, unguessable};

/// How long one name server may be silent.
const PATIENCE: Duration = Duration::from_secs(2);
/// How often each is asked.
const ROUNDS: usize = 2;
/// What resolvers heed (resolv.conf(5)).
const NAME_SERVERS: usize = 3;
/// What a plain answer over UDP may have (RFC 1035 §4.2.1), with room for those who send more.
const DATAGRAM: usize = 4096;
/// More servers of one name are not tried.
const MOST: usize = 32;

const SRV: u16 = 33;
const INTERNET: u16 = 1;

/// One record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// The lowest ones are tried first.
    pub priority: u16,
    /// How often it is to come first among those of its priority.
    pub weight: u16,
    /// 1–65535.
    pub port: u16,
    /// A host name without the final dot; empty: there is no such service.
    pub host: String,
}

/// What an answer says.
#[derive(Debug, PartialEq, Eq)]
pub enum Answer {
    /// These records; perhaps none.
    Records(Vec<Record>),
    /// It is longer than a datagram, and is to be asked for over TCP.
    Truncated,
    /// There is no such name.
    NoSuchName,
    /// The server cannot or will not tell: the response code.
    Failed(u8),
}

/// The servers that DNS has for `name`, such as `_mqtt._tcp.example.com`, in the order in which they are to be tried.
pub(super) async fn look_up(name: &str) -> Result<Vec<(String, u16)>, String> {
    let resolvers = name_servers(&fs::read_to_string("/etc/resolv.conf").unwrap_or_default());
    ask_all(name, &resolvers).await
}

async fn ask_all(name: &str, resolvers: &[SocketAddr]) -> Result<Vec<(String, u16)>, String> {
    let mut why = String::from("no name server");
    for server in resolvers.iter().cycle().take(resolvers.len() * ROUNDS) {
        let asked = timeout(PATIENCE, ask(*server, name)).await;
        match asked.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into())) {
            Ok(Answer::Records(records)) => return usable(name, records),
            Ok(Answer::NoSuchName) => return Err(format!("DNS has no SRV record {name}")),
            Ok(Answer::Failed(code)) => {
                why = format!("the name server responded with error {code}")
            }
            Ok(Answer::Truncated) => why = String::from("the name server's answer is cut off"),
            Err(cause) => why = crate::error::plain(&cause).to_string(),
        }
    }
    Err(format!("cannot look up the SRV record {name}: {why}"))
}

fn usable(name: &str, records: Vec<Record>) -> Result<Vec<(String, u16)>, String> {
    if records.is_empty() {
        return Err(format!("DNS has no SRV record {name}"));
    }
    let mut records = records;
    records.retain(|record| !record.host.is_empty() && record.port != 0);
    if records.is_empty() {
        return Err(format!(
            "the SRV record {name} says that there is no such service"
        ));
    }
    let ordered = in_order(records, &mut Random::from_system());
    let places = ordered.into_iter().map(|it| (it.host, it.port));
    Ok(places.take(MOST).collect())
}

/// By priority; among equals by chance, as often first as their weight says (RFC 2782, "Weight").
fn in_order(mut records: Vec<Record>, random: &mut Random) -> Vec<Record> {
    // Those of weight 0 first, so that they have a small chance.
    records.sort_by_key(|it| (it.priority, it.weight));
    let mut ordered = Vec::with_capacity(records.len());
    while let Some(first) = records.first() {
        let priority = first.priority;
        let group = records.iter().take_while(|it| it.priority == priority);
        let total: u32 = group.map(|it| u32::from(it.weight)).sum();
        let drawn = (random.fraction() * f64::from(total + 1)) as u32;
        let mut sum = 0;
        let at = records.iter().position(|it| {
            sum += u32::from(it.weight);
            sum >= drawn
        });
        // The sum reaches the total within the group, and what was drawn is not more.
        ordered.push(records.remove(at.unwrap_or_default()));
    }
    ordered
}

/// The name servers of a resolv.conf; that of this machine where it has none.
fn name_servers(text: &str) -> Vec<SocketAddr> {
    let lines = text.lines().filter_map(|line| {
        let mut words = line.split_whitespace();
        (words.next() == Some("nameserver")).then(|| words.next())?
    });
    let addresses = lines.filter_map(|word| match super::zone::ipv6_with_zone(word) {
        Some(found) => {
            let (ip, zone) = found.ok()?;
            Some(std::net::SocketAddrV6::new(ip, 53, 0, zone).into())
        }
        None => Some(SocketAddr::new(word.parse::<IpAddr>().ok()?, 53)),
    });
    let found: Vec<SocketAddr> = addresses.take(NAME_SERVERS).collect();
    if found.is_empty() {
        return vec![SocketAddr::from((Ipv4Addr::LOCALHOST, 53))];
    }
    found
}

async fn ask(server: SocketAddr, name: &str) -> io::Result<Answer> {
    let id = unguessable() as u16;
    let query = query(id, name).ok_or(io::ErrorKind::InvalidInput)?;
    match over_udp(server, &query, id, name).await? {
        Answer::Truncated => over_tcp(server, &query, id, name).await,
        answer => Ok(answer),
    }
}

/// The socket takes datagrams of the server only, on a port that the kernel drew; a forged one must also know the id.
async fn over_udp(server: SocketAddr, query: &[u8], id: u16, name: &str) -> io::Result<Answer> {
    let any = match server {
        SocketAddr::V4(_) => IpAddr::V4(Ipv4Addr::UNSPECIFIED),
        SocketAddr::V6(_) => IpAddr::V6(Ipv6Addr::UNSPECIFIED),
    };
    let socket = UdpSocket::bind((any, 0)).await?;
    socket.connect(server).await?;
    socket.send(query).await?;
    let mut buffer = [0; DATAGRAM];
    loop {
        let length = socket.recv(&mut buffer).await?;
        if let Some(answer) = read(&buffer[..length], id, name) {
            return Ok(answer);
        }
    }
}

async fn over_tcp(server: SocketAddr, query: &[u8], id: u16, name: &str) -> io::Result<Answer> {
    let mut tcp = TcpStream::connect(server).await?;
    // A query has at most 271 bytes.
    let length = (query.len() as u16).to_be_bytes();
    tcp.write_all(&[&length[..], query].concat()).await?;
    let mut answer = vec![0; tcp.read_u16().await?.into()];
    tcp.read_exact(&mut answer).await?;
    read(&answer, id, name).ok_or_else(|| io::Error::other("its answer is malformed"))
}

/// A question for the SRV records of `name`; `None`: that is no name of DNS.
fn query(id: u16, name: &str) -> Option<Vec<u8>> {
    const RECURSION_DESIRED: u16 = 0x0100;
    let mut query = Vec::with_capacity(name.len() + 18);
    for word in [id, RECURSION_DESIRED, 1, 0, 0, 0] {
        query.extend_from_slice(&word.to_be_bytes());
    }
    let name = name.strip_suffix('.').unwrap_or(name);
    if name.len() > 253 {
        return None;
    }
    for label in name.split('.') {
        let length = u8::try_from(label.len()).ok()?;
        if !(1..=63).contains(&length) || !label.is_ascii() {
            return None;
        }
        query.push(length);
        query.extend_from_slice(label.as_bytes());
    }
    query.push(0);
    for word in [SRV, INTERNET] {
        query.extend_from_slice(&word.to_be_bytes());
    }
    Some(query)
}

/// Reads an answer to that question; `None`: it is not one, or malformed.
pub fn read(message: &[u8], id: u16, name: &str) -> Option<Answer> {
    let mut reader = Reader { message, at: 0 };
    let [theirs, flags, questions, answers, _, _] = {
        let mut words = [0; 6];
        for word in &mut words {
            *word = reader.word()?;
        }
        words
    };
    let is_response = flags & 0x8000 != 0;
    if theirs != id || !is_response || questions != 1 {
        return None;
    }
    let same = reader
        .name()?
        .eq_ignore_ascii_case(name.trim_end_matches('.'));
    if !same || reader.word()? != SRV || reader.word()? != INTERNET {
        return None;
    }
    match flags & 0x000f {
        _ if flags & 0x0200 != 0 => return Some(Answer::Truncated),
        0 => {}
        3 => return Some(Answer::NoSuchName),
        code => return Some(Answer::Failed(code as u8)),
    }
    let mut records = Vec::new();
    for _ in 0..answers {
        let _owner = reader.name()?;
        let (kind, class) = (reader.word()?, reader.word()?);
        reader.skip(4)?;
        let length = usize::from(reader.word()?);
        let end = reader.at.checked_add(length)?;
        if end > message.len() {
            return None;
        }
        if (kind, class) == (SRV, INTERNET) {
            let record = Record {
                priority: reader.word()?,
                weight: reader.word()?,
                port: reader.word()?,
                host: reader.name()?,
            };
            if reader.at != end {
                return None;
            }
            records.push(record);
        }
        // An alias may come first, whose record is no SRV.
        reader.at = end;
    }
    Some(Answer::Records(records))
}

struct Reader<'a> {
    message: &'a [u8],
    at: usize,
}

impl Reader<'_> {
    fn byte(&mut self) -> Option<u8> {
        let byte = *self.message.get(self.at)?;
        self.at += 1;
        Some(byte)
    }

    fn word(&mut self) -> Option<u16> {
        Some(u16::from_be_bytes([self.byte()?, self.byte()?]))
    }

    fn skip(&mut self, bytes: usize) -> Option<()> {
        self.at = self.at.checked_add(bytes)?;
        (self.at <= self.message.len()).then_some(())
    }

    /// A name, which may go on elsewhere in the message (RFC 1035 §4.1.4): each time further to the front, so it ends.
    fn name(&mut self) -> Option<String> {
        let mut name = String::new();
        let mut back = None;
        let mut limit = self.at;
        loop {
            match self.byte()? {
                0 => break,
                length @ 1..=63 => {
                    let end = self.at.checked_add(length.into())?;
                    let label = self.message.get(self.at..end)?;
                    // What is no letter, digit, hyphen or underscore is no part of a host name.
                    if !label
                        .iter()
                        .all(|it| it.is_ascii_alphanumeric() || b"-_".contains(it))
                    {
                        return None;
                    }
                    if !name.is_empty() {
                        name.push('.');
                    }
                    name.extend(label.iter().map(|it| char::from(*it)));
                    if name.len() > 253 {
                        return None;
                    }
                    self.at = end;
                }
                high @ 0xc0.. => {
                    let target = usize::from(high & 0x3f) << 8 | usize::from(self.byte()?);
                    if target >= limit {
                        return None;
                    }
                    back.get_or_insert(self.at);
                    (self.at, limit) = (target, target);
                }
                _ => return None,
            }
        }
        if let Some(back) = back {
            self.at = back;
        }
        Some(name)
    }
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;

    use super::*;

    const NAME: &str = "_mqtt._tcp.example.com";

    fn record(priority: u16, weight: u16, host: &str) -> Record {
        Record {
            priority,
            weight,
            port: 1883,
            host: host.to_owned(),
        }
    }

    /// An answer of a server that knows `records`; each host name ends with a pointer to example.com in the question.
    fn answer(query: &[u8], flags: u16, records: &[Record]) -> Vec<u8> {
        let mut message = query.to_vec();
        message[2..4].copy_from_slice(&flags.to_be_bytes());
        message[7] = records.len() as u8;
        for it in records {
            message.extend_from_slice(&[0xc0, 12]);
            message.extend_from_slice(&[0, 33, 0, 1, 0, 0, 0, 60]);
            let host = match it.host.strip_suffix(".example.com") {
                Some(label) => [&[label.len() as u8], label.as_bytes(), &[0xc0, 23]].concat(),
                None => vec![0],
            };
            message.extend_from_slice(&(6 + host.len() as u16).to_be_bytes());
            for word in [it.priority, it.weight, it.port] {
                message.extend_from_slice(&word.to_be_bytes());
            }
            message.extend_from_slice(&host);
        }
        message
    }

    #[test]
    fn answers_are_read() {
        let query = query(7, NAME).unwrap();
        let two = [record(1, 0, "a.example.com"), record(2, 5, "b.example.com")];
        let message = answer(&query, 0x8180, &two);
        assert_eq!(read(&message, 7, NAME), Some(Answer::Records(two.to_vec())));
        assert_eq!(read(&message, 8, NAME), None, "another id");
        assert_eq!(read(&message, 7, "_mqtt._tcp.example.org"), None);
        assert_eq!(read(&query, 7, NAME), None, "a question");
        let failed = |flags| read(&answer(&query, flags, &[]), 7, NAME);
        assert_eq!(failed(0x8183), Some(Answer::NoSuchName));
        assert_eq!(failed(0x8182), Some(Answer::Failed(2)));
        assert_eq!(failed(0x8380), Some(Answer::Truncated));
        for end in 0..message.len() {
            assert_eq!(read(&message[..end], 7, NAME), None, "{end}");
        }
    }

    #[test]
    fn names_that_lead_in_circles_or_steer_terminals_are_refused() {
        let query = query(7, NAME).unwrap();
        let mut message = answer(&query, 0x8180, &[record(1, 0, "a.example.com")]);
        let end = message.len();
        // The pointer of the host leads to itself.
        message[end - 1] = end as u8 - 2;
        assert_eq!(read(&message, 7, NAME), None);
        message[end - 1] = 23;
        message[end - 3] = 0x1b;
        assert_eq!(read(&message, 7, NAME), None);
    }

    #[test]
    fn only_names_of_dns_are_asked_for() {
        for name in [
            "",
            "a..b",
            "\u{e4}.example",
            &"a".repeat(64),
            &"ab.".repeat(90),
        ] {
            assert_eq!(query(1, name), None, "{name}");
        }
        assert_eq!(query(1, "a.b."), query(1, "a.b"));
    }

    #[test]
    fn priority_comes_first_and_weight_decides_among_equals() {
        let mut random = Random::new(7, 0);
        let (mut heavy, rounds) = (0, 1000);
        for _ in 0..rounds {
            let records = vec![
                record(2, 9, "last"),
                record(1, 1, "light"),
                record(1, 3, "heavy"),
            ];
            let ordered = in_order(records, &mut random);
            assert_eq!(ordered[2].host, "last");
            heavy += usize::from(ordered[0].host == "heavy");
        }
        assert!((600..850).contains(&heavy), "{heavy} of {rounds}");
    }

    #[test]
    fn a_domain_may_say_that_it_has_no_such_service() {
        let none = Record {
            host: String::new(),
            ..record(0, 0, "")
        };
        let why = usable(NAME, vec![none]).unwrap_err();
        assert!(why.ends_with("there is no such service"), "{why}");
        assert!(
            usable(NAME, Vec::new())
                .unwrap_err()
                .starts_with("DNS has no SRV record")
        );
    }

    #[test]
    fn resolv_conf_is_read() {
        let text =
            "# nameserver 9.9.9.9\nsearch x\nnameserver 10.0.0.1\nnameserver  ::1\nnameserver x\n";
        let found: Vec<String> = name_servers(text).iter().map(ToString::to_string).collect();
        assert_eq!(found, ["10.0.0.1:53", "[::1]:53"]);
        assert_eq!(name_servers("").len(), 1);
    }

    /// A name server that answers over UDP only that the answer is too long.
    #[tokio::test]
    async fn a_long_answer_comes_over_tcp_and_a_dead_server_does_not_matter() {
        let tcp = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = tcp.local_addr().unwrap();
        let udp = UdpSocket::bind(address).await.unwrap();
        let gone = {
            let gone = UdpSocket::bind("127.0.0.1:0").await.unwrap();
            gone.local_addr().unwrap()
        };
        tokio::spawn(async move {
            let mut buffer = [0; 512];
            let (length, from) = udp.recv_from(&mut buffer).await.unwrap();
            // A forged answer is passed over.
            let mut forged = answer(
                &buffer[..length],
                0x8180,
                &[record(1, 1, "evil.example.com")],
            );
            forged[0] ^= 1;
            udp.send_to(&forged, from).await.unwrap();
            let cut = answer(&buffer[..length], 0x8380, &[]);
            udp.send_to(&cut, from).await.unwrap();
            let (mut stream, _) = tcp.accept().await.unwrap();
            let length = stream.read_u16().await.unwrap().into();
            let mut query = vec![0; length];
            stream.read_exact(&mut query).await.unwrap();
            let records: Vec<Record> = (0..40).map(|it| record(it, 0, "a.example.com")).collect();
            let whole = answer(&query, 0x8180, &records);
            stream.write_u16(whole.len() as u16).await.unwrap();
            stream.write_all(&whole).await.unwrap();
        });
        let found = ask_all(NAME, &[gone, address]).await.unwrap();
        assert_eq!(found.len(), MOST);
        assert_eq!(found[0], (String::from("a.example.com"), 1883));
    }
}
