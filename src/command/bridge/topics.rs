//! Which messages cross a bridge, in which direction, and under which topic.
//!
//! A line is that of `topic` in mosquitto.conf: `PATTERN [out|in|both [QOS [LOCAL-PREFIX [REMOTE-PREFIX]]]]`, where the local
//! server is the one that comes first on the command line. `""` stands for an empty word.

use std::fmt;

use bytestring::ByteString;

use crate::command::ends::cycle;
use crate::mqtt::packet::QoS;
use crate::mqtt::topic;

/// One of the two servers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The one that comes first.
    From,
    /// The other.
    To,
}

impl Side {
    /// What it is called in a spool.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::From => "from",
            Self::To => "to",
        }
    }

    /// 0 or 1.
    pub(crate) const fn index(self) -> usize {
        self as usize
    }

    pub(crate) const fn other(self) -> Self {
        match self {
            Self::From => Self::To,
            Self::To => Self::From,
        }
    }
}

/// In which directions messages go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Direction {
    Out,
    In,
    Both,
}

/// What directions are called.
pub(crate) const DIRECTIONS: [&str; 3] = ["out", "in", "both"];

/// Some topics of one server, and what they are at the other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Map {
    /// Where the messages come from.
    pub side: Side,
    /// What is subscribed to there.
    pub filter: ByteString,
    /// At most that QoS.
    pub qos: QoS,
    /// What topics begin with where they come from, and what they begin with instead.
    prefix: (String, String),
    /// The whole topic, where the pattern is empty.
    exact: bool,
}

impl Map {
    /// All topics, at the QoS of the messages, under the same names.
    pub(crate) fn everything(side: Side) -> Self {
        Self {
            side,
            filter: ByteString::from_static("#"),
            qos: QoS::ExactlyOnce,
            prefix: (String::new(), String::new()),
            exact: false,
        }
    }

    /// These, or all topics from the first server where there are none.
    pub(crate) fn or_everything(maps: Vec<Self>) -> Vec<Self> {
        match maps.is_empty() {
            true => vec![Self::everything(Side::From)],
            false => maps,
        }
    }

    /// The topic at the other server; `None`: the message does not cross.
    pub(crate) fn image(&self, name: &ByteString) -> Option<ByteString> {
        let matches = topic::matches(&self.filter, name);
        let rest = name.strip_prefix(&*self.prefix.0).filter(|_| matches)?;
        Some(match self.prefix.0 == self.prefix.1 {
            true => name.clone(),
            false => format!("{}{rest}", self.prefix.1).into(),
        })
    }

    /// The same as a route has it: the topics with names for levels, the topic at the other server where it is another one, and
    /// a topic that is among them and does not cross.
    ///
    /// # Errors
    /// Why a route cannot have it.
    pub(crate) fn route(&self) -> Result<(String, Option<String>, Option<&str>), String> {
        let (own, other) = (&self.prefix.0, &self.prefix.1);
        let filter = self.filter.to_string();
        if filter.contains(['{', '}']) || other.contains(['{', '}']) {
            return Err(format!("braces in {filter} would be names"));
        }
        if own == other {
            return Ok((filter, None, None));
        }
        if self.exact {
            return Ok((filter, Some(other.clone()), None));
        }
        if own.is_empty() {
            return Ok((filter, Some(format!("{other}{{topic}}")), None));
        }
        let rest = filter.strip_prefix(&**own).unwrap_or_default();
        let Some(above) = own.strip_suffix('/') else {
            return Err(format!("the prefix {own:?} ends within a level"));
        };
        let (mut names, mut place) = (String::new(), String::new());
        for (at, level) in rest.split('/').enumerate() {
            let slash = if at == 0 { "" } else { "/" };
            let (name, filled) = match level {
                "+" => (format!("{{level{at}}}"), format!("{{level{at}}}")),
                "#" => (String::from("{rest...}"), String::from("{rest}")),
                level => (level.to_owned(), level.to_owned()),
            };
            names += &format!("{slash}{name}");
            place += &format!("{slash}{filled}");
        }
        // A filter that ends with # matches what is above it too.
        let above = (rest == "#").then_some(above);
        Ok((
            format!("{own}{names}"),
            Some(format!("{other}{place}")),
            above,
        ))
    }

    /// The topics, the direction and the QoS in few words.
    pub(crate) fn summary(&self) -> String {
        let image = self.image_filter();
        let renamed = match image == *self.filter {
            true => String::new(),
            false => format!(" as {image}"),
        };
        let direction = match self.side {
            Side::From => "out",
            Side::To => "in",
        };
        let qos = self.qos.level();
        format!("{}{renamed} {direction}, QoS {qos}", self.filter)
    }

    /// What stands behind the prefixes.
    fn pattern(&self) -> &str {
        self.filter
            .strip_prefix(&*self.prefix.0)
            .unwrap_or_default()
    }

    /// The same below other prefixes: where messages come from, and where they go.
    fn beneath(&self, (own, other): (&str, &str)) -> Self {
        let prefix = (
            format!("{own}{}", self.prefix.0),
            format!("{other}{}", self.prefix.1),
        );
        Self {
            filter: format!("{}{}", prefix.0, self.pattern()).into(),
            prefix,
            ..self.clone()
        }
    }

    /// The line that it is read from.
    fn line(&self) -> String {
        let word = |text: &str| {
            if text.is_empty() {
                "\"\"".to_owned()
            } else {
                text.to_owned()
            }
        };
        let (own, other) = (word(&self.prefix.0), word(&self.prefix.1));
        let (direction, local, remote) = match self.side {
            Side::From => ("out", own, other),
            Side::To => ("in", other, own),
        };
        let qos = self.qos.level();
        format!(
            "{} {direction} {qos} {local} {remote}",
            word(self.pattern())
        )
    }

    /// The filter of all topics that messages have at the other server.
    pub(crate) fn image_filter(&self) -> String {
        format!("{}{}", self.prefix.1, self.pattern())
    }
}

impl fmt::Display for Map {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} as {}", self.filter, self.image_filter())
    }
}

/// Reads a line; it makes one map, or one for each direction.
///
/// # Errors
/// What is wrong with it.
pub(crate) fn parse(line: &str) -> Result<Vec<Map>, String> {
    let words: Vec<&str> = line
        .split_whitespace()
        .map(|word| if word == "\"\"" { "" } else { word })
        .collect();
    let [pattern, rest @ ..] = words.as_slice() else {
        return Err(String::from("a topic line needs a pattern"));
    };
    if rest.len() > 4 {
        let text = "more than a pattern, a direction, a QoS and two prefixes";
        return Err(String::from(text));
    }
    if let Some(name) = placeholder(pattern) {
        return Err(format!(
            "{name} is not filled in here: use + for a level, or iotctl route"
        ));
    }
    let direction = direction(rest.first())?;
    let qos = qos(rest.get(1))?;
    let prefix = |at: usize| rest.get(at).copied().unwrap_or_default().to_owned();
    let prefixes = (prefix(2), prefix(3));
    let exact = pattern.is_empty();
    if exact && (prefixes.0.is_empty() || prefixes.1.is_empty()) {
        return Err(String::from(
            "an empty pattern needs both prefixes, which are whole topics then",
        ));
    }
    let map = |side: Side| {
        let (own, other) = match side {
            Side::From => prefixes.clone(),
            Side::To => (prefixes.1.clone(), prefixes.0.clone()),
        };
        let filter = format!("{own}{pattern}");
        topic::check_filter(&filter).map_err(|why| why.to_string())?;
        check_shared(&filter)?;
        let map = Map {
            side,
            filter: filter.into(),
            qos,
            prefix: (own, other),
            exact,
        };
        topic::check_filter(&map.image_filter()).map_err(|why| why.to_string())?;
        check_shared(&map.image_filter())?;
        if topic::check_name(&prefixes.0).is_err() && !prefixes.0.is_empty()
            || topic::check_name(&prefixes.1).is_err() && !prefixes.1.is_empty()
        {
            return Err(String::from("a prefix must not contain wildcards"));
        }
        Ok(map)
    };
    match direction {
        Direction::Out => Ok(vec![map(Side::From)?]),
        Direction::In => Ok(vec![map(Side::To)?]),
        Direction::Both => Ok(vec![map(Side::From)?, map(Side::To)?]),
    }
}

/// What is shared comes under the topics behind the group, which no prefix would be that of.
fn check_shared(filter: &str) -> Result<(), String> {
    match topic::shared(filter) {
        None => Ok(()),
        Some((_, own)) => Err(format!(
            "{filter} is a shared subscription, which a bridge does not have: write {own}"
        )),
    }
}

fn direction(word: Option<&&str>) -> Result<Direction, String> {
    Ok(match word {
        None | Some(&"out") => Direction::Out,
        Some(&"in") => Direction::In,
        Some(&"both") => Direction::Both,
        Some(other) => return Err(format!("{other:?} is not out, in or both")),
    })
}

fn qos(word: Option<&&str>) -> Result<QoS, String> {
    Ok(match word {
        None | Some(&"0") => QoS::AtMostOnce,
        Some(&"1") => QoS::AtLeastOnce,
        Some(&"2") => QoS::ExactlyOnce,
        Some(other) => return Err(format!("QoS {other:?} is not 0, 1 or 2")),
    })
}

/// A place that other commands fill in: `{device}`.
fn placeholder(pattern: &str) -> Option<&str> {
    let start = pattern.find('{')?;
    let length = pattern[start..].find('}')?;
    let name = &pattern[start + 1..start + length];
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '.';
    let is_place = !name.is_empty() && name.chars().all(is_name);
    is_place.then(|| &pattern[start..=start + length])
}

/// Maps that carry nothing, each behind one of the same direction that has all of its topics and comes first.
pub(crate) fn shadowed(maps: &[Map]) -> Vec<(&Map, &Map)> {
    let behind = maps.iter().enumerate().filter_map(|(at, narrow)| {
        // Wildcards that come first match no topic that begins with $.
        let is_apart =
            |it: &&Map| narrow.filter.starts_with('$') && it.filter.starts_with(['#', '+']);
        let covers = |it: &&Map| {
            it.side == narrow.side && !is_apart(it) && topic::covers(&it.filter, &narrow.filter)
        };
        Some((maps[..at].iter().find(covers)?, narrow))
    });
    behind.collect()
}

/// Two maps of which each gives the other what it has made; so a message that crosses by one comes back by the other.
pub(crate) fn feeding(maps: &[Map]) -> Option<(&Map, &Map)> {
    let from = maps.iter().filter(|map| map.side == Side::From);
    let mut pairs = from.flat_map(|out| {
        let back = maps.iter().filter(|map| map.side == Side::To);
        back.map(move |back| (out, back))
    });
    pairs.find(|(out, back)| {
        topic::intersect(&out.image_filter(), &back.filter)
            && topic::intersect(&back.image_filter(), &out.filter)
    })
}

/// Maps of one direction of which each gives the next what it has made, and the last the first, where both servers are one. What
/// crosses the other way is what a connection has sent itself, which its server does not give back.
pub(crate) fn feeding_itself(maps: &[Map]) -> Vec<&Map> {
    let way = cycle::first(maps.len(), |from, into| {
        let (from, into) = (&maps[from], &maps[into]);
        from.side == into.side && topic::intersect(&from.image_filter(), &into.filter)
    });
    way.into_iter().flatten().map(|at| &maps[at]).collect()
}

/// Lines in place of those of `maps`, of which `feeds` is not true any more: with other prefixes, which go before what is there.
pub(crate) fn parting(maps: &[&Map], feeds: impl Fn(&[Map]) -> bool) -> Option<Vec<String>> {
    // What goes before the topics of the last one, or of each: where they come from, and where they go.
    let tries: [&dyn Fn(usize, Side) -> (&'static str, &'static str); 4] = [
        &|at, _| ("", if at + 1 == maps.len() { "bridged/" } else { "" }),
        &|at, _| (if at == 0 { "from/" } else { "" }, ""),
        &|at, _| match at {
            0 => ("from/", "bridged/"),
            _ => ("", ""),
        },
        &|_, side| match side {
            Side::From => ("", "out/"),
            Side::To => ("in/", ""),
        },
    ];
    tries.into_iter().find_map(|prefixes| {
        let moved = maps.iter().enumerate();
        let moved: Vec<Map> = moved
            .map(|(at, map)| map.beneath(prefixes(at, map.side)))
            .collect();
        let changed = moved.iter().zip(maps).filter(|(new, old)| new != *old);
        let lines = changed.map(|(new, _)| new.line()).collect();
        (!feeds(&moved)).then_some(lines)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn images(line: &str, name: &str) -> Vec<Option<String>> {
        let maps = parse(line).unwrap();
        let image = |map: &Map| map.image(&name.into()).map(|it| it.to_string());
        maps.iter().map(image).collect()
    }

    fn one(line: &str, name: &str) -> Option<String> {
        images(line, name).remove(0)
    }

    #[test]
    fn lines_mean_what_they_mean_to_mosquitto() {
        assert_eq!(one("a/#", "a/b"), Some("a/b".into()));
        assert_eq!(one("a/#", "b"), None);
        assert_eq!(one("# out 1 l/ r/", "l/x/y"), Some("r/x/y".into()));
        assert_eq!(one("# in 1 l/ r/", "r/x/y"), Some("l/x/y".into()));
        assert_eq!(one("# out 0 \"\" r/", "x"), Some("r/x".into()));
        assert_eq!(one("\"\" out 0 one two", "one"), Some("two".into()));
        assert_eq!(images("t/+ both 2 l/ r/", "r/t/x")[1], Some("l/t/x".into()));
        let maps = parse("t/+ both 2 l/ r/").unwrap();
        assert_eq!(maps[0].filter, "l/t/+");
        assert_eq!(maps[1].filter, "r/t/+");
        assert_eq!(maps[0].qos, QoS::ExactlyOnce);
        assert_eq!(maps[0].to_string(), "l/t/+ as r/t/+");
        assert_eq!(maps[1].summary(), "r/t/+ as l/t/+ in, QoS 2");
        assert_eq!(parse("a/# out 1").unwrap()[0].summary(), "a/# out, QoS 1");
    }

    #[test]
    fn a_map_behind_a_wider_one_carries_nothing() {
        let found = |lines: &[&str]| {
            let maps: Vec<_> = lines.iter().flat_map(|line| parse(line).unwrap()).collect();
            let found = shadowed(&maps).into_iter();
            found.map(|it| it.1.to_string()).collect::<Vec<_>>()
        };
        assert_eq!(found(&["#", "a/+ out 1 \"\" r/"]), ["a/+ as r/a/+"]);
        assert_eq!(found(&["a/b", "a/b out 1"]), ["a/b as a/b"]);
        for apart in [
            &["a/+ out 1 \"\" r/", "#"],
            &["#", "a/+ in"],
            &["#", "$SYS/#"],
            &["a/+", "a/#"],
        ] {
            assert_eq!(found(apart), Vec::<String>::new(), "{apart:?}");
        }
    }

    #[test]
    fn a_map_is_a_route_where_a_route_can_have_it() {
        let route = |line: &str| {
            parse(line).unwrap()[0]
                .route()
                .map(|it| (it.0, it.1, it.2.map(String::from)))
        };
        let is = |topic: &str, out: Option<&str>, not: Option<&str>| {
            Ok((
                topic.to_owned(),
                out.map(String::from),
                not.map(String::from),
            ))
        };
        assert_eq!(route("a/#"), is("a/#", None, None));
        assert_eq!(
            route("a/# out 1 \"\" r/"),
            is("a/#", Some("r/{topic}"), None)
        );
        assert_eq!(route("\"\" out 0 one two"), is("one", Some("two"), None));
        assert_eq!(
            route("# out 0 l/ r/"),
            is("l/{rest...}", Some("r/{rest}"), Some("l"))
        );
        assert_eq!(
            route("+/t/# out 0 l/ r/"),
            is("l/{level0}/t/{rest...}", Some("r/{level0}/t/{rest}"), None)
        );
        assert!(route("a/# out 0 l r").is_err());
        assert!(route("a/# out 0 l/ {r}/").is_err());
    }

    #[test]
    fn wrong_lines_are_told() {
        for (line, why) in [
            ("", "a topic line needs a pattern"),
            ("# sideways", "\"sideways\" is not out, in or both"),
            ("# out 3", "QoS \"3\" is not 0, 1 or 2"),
            (
                "a/{device}/# out 1",
                "{device} is not filled in here: use + for a level, or iotctl route",
            ),
            (
                "\"\" out 0 a",
                "an empty pattern needs both prefixes, which are whole topics then",
            ),
            (
                "# out 0 a b c",
                "more than a pattern, a direction, a QoS and two prefixes",
            ),
        ] {
            assert_eq!(parse(line).unwrap_err(), why, "{line}");
        }
        assert!(parse("a# out").is_err() && parse("# out 0 l r/").is_err());
        assert!(parse("# out 0 +/ r/").is_err());
    }

    #[test]
    fn what_is_shared_is_no_pattern() {
        let said = "$share/g/x/# is a shared subscription, which a bridge does not have: write x/#";
        for line in [
            "$share/g/x/# out 1",
            "x/# in 1 \"\" $share/g/",
            "# out 1 $share/g/x/",
        ] {
            assert_eq!(parse(line).unwrap_err(), said, "{line}");
        }
        assert!(parse("$SYS/# out").is_ok());
    }

    #[test]
    fn maps_that_feed_each_other_are_found() {
        let feeds = |lines: &[&str]| {
            let maps: Vec<Map> = lines.iter().flat_map(|line| parse(line).unwrap()).collect();
            feeding(&maps).is_some()
        };
        assert!(feeds(&["# both 1"]));
        assert!(feeds(&["# out 1", "# in 1"]));
        assert!(feeds(&["a/# out 1", "+/b in 1"]));
        assert!(!feeds(&["a/# out 1", "b/# in 1"]));
        assert!(!feeds(&["# out 1 l/ r/", "# in 1 m/ r/"]));
        assert!(feeds(&["# out 1 l/ r/", "# in 1 l/ r/"]));
    }

    #[test]
    fn maps_of_one_server_that_feed_each_other_are_found_and_parted() {
        let lines = |lines: &[&str]| -> Vec<Map> {
            lines.iter().flat_map(|line| parse(line).unwrap()).collect()
        };
        for (given, apart) in [
            (&["# out 1"][..], "# out 1 from/ bridged/"),
            (&["# out 1 \"\" copy/"], "# out 1 from/ copy/"),
            (&["a/# out"], "a/# out 0 \"\" bridged/"),
            (
                &["a/# out 1 \"\" b/", "b/# out 1 \"\" a/"],
                "b/# out 1 \"\" bridged/a/",
            ),
            (&["a/# in 1 b/", "b/# in 1 a/"], "b/# in 1 bridged/a/ \"\""),
            (
                &["\"\" out 1 a b", "\"\" out 1 b a"],
                "\"\" out 1 b bridged/a",
            ),
        ] {
            let maps = lines(given);
            let fed = feeding_itself(&maps);
            assert_eq!(fed.len(), maps.len(), "{given:?}");
            let parted = parting(&fed, |maps| !feeding_itself(maps).is_empty());
            assert_eq!(parted.unwrap(), [apart], "{given:?}");
        }
        // What crosses back is known to the connection that sent it.
        for given in [
            &["# out 1 a/ b/"][..],
            &["# both 1 a/ b/"],
            &["a/# out 1 \"\" b/", "b/# out 1 \"\" c/"],
        ] {
            assert!(feeding_itself(&lines(given)).is_empty(), "{given:?}");
        }
        let maps = lines(&["# both 1"]);
        let both: Vec<&Map> = maps.iter().collect();
        let parted = parting(&both, |maps| feeding(maps).is_some()).unwrap();
        assert_eq!(parted, ["# out 1 \"\" out/", "# in 1 \"\" in/"]);
    }
}
