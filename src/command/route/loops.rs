//! Routes and alerts whose messages come back to them: pure.

use crate::command::ends::cycle;
use crate::error::{Error, Result};
use crate::message::topic::intersect;

/// What is done with the messages of some sources and topics.
#[derive(Clone)]
pub(super) struct Node {
    /// `route 1`
    pub(super) name: String,
    /// The indices of its sources.
    pub(super) from: Vec<usize>,
    pub(super) filter: String,
    /// The indices of targets, each with the filter of what they get.
    pub(super) to: Vec<(usize, String)>,
    /// The same of what goes there under its own topic.
    pub(super) as_it_is: Vec<(usize, String)>,
}

/// What a hint puts before topics.
const APART: &str = "routed/";

/// Refuses what feeds itself, in one step or in several; `same` tells whether a target and a source are one server.
///
/// # Errors
/// [`Kind::Usage`](crate::error::Kind::Usage) that names the first.
pub(super) fn check(nodes: &[Node], same: impl Fn(usize, usize) -> bool) -> Result<()> {
    let Some(way) = fed(nodes, &same) else {
        return Ok(());
    };
    // It begins with the one that was looked for.
    let at = way[0];
    let node = &nodes[at];
    let by_way_of: Vec<&str> = way[1..].iter().map(|it| &*nodes[*it].name).collect();
    let by_way_of = match by_way_of.as_slice() {
        [] => String::new(),
        others => format!(" by way of {}", others.join(" and ")),
    };
    let text = format!(
        "{}: its messages come back to it{by_way_of}, as what goes to to, else or on-refused matches {}",
        node.name, node.filter
    );
    let mut parted = nodes.to_vec();
    for (_, image) in &mut parted[at].to {
        *image = format!("{APART}{}", node.filter);
    }
    let hint = "use a topic-out that its own topic does not match";
    let parts = node.name.starts_with("route ") && fed(&parted, same).is_none();
    Err(Error::usage(text).hint(match parts {
        true => format!("{hint}, such as topic-out = \"{APART}{{topic}}\""),
        false => hint.to_owned(),
    }))
}

fn fed(nodes: &[Node], same: impl Fn(usize, usize) -> bool) -> Option<Vec<usize>> {
    cycle::first(nodes.len(), |from, into| {
        let mut out = nodes[from].to.iter().chain(&nodes[from].as_it_is);
        let into = &nodes[into];
        out.any(|(target, image)| {
            let mut sources = into.from.iter();
            sources.any(|source| same(*target, *source)) && intersect(image, &into.filter)
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn node(number: usize, filter: &str, image: &str) -> Node {
        Node {
            name: format!("route {number}"),
            from: vec![0],
            filter: filter.into(),
            to: vec![(0, image.into())],
            as_it_is: Vec::new(),
        }
    }

    #[test]
    fn what_feeds_itself_is_told_with_what_would_part_it() {
        let nodes = [node(1, "a/#", "b/a/#"), node(2, "b/#", "a/b/#")];
        assert!(check(&nodes, |_, _| false).is_ok());
        let error = check(&nodes, |_, _| true).unwrap_err();
        assert!(error.text().contains("route 1") && error.text().contains("by way of route 2"));
        let hint = error.hint_text().unwrap();
        assert!(hint.contains("topic-out = \"routed/{topic}\""), "{hint}");
        // No prefix leads out of all topics.
        let error = check(&[node(1, "#", "x/#")], |_, _| true).unwrap_err();
        assert!(!error.hint_text().unwrap().contains("such as"));
        let mut kept = node(1, "a/#", "b/#");
        kept.as_it_is = vec![(0, "a/#".into())];
        let error = check(&[kept], |_, _| true).unwrap_err();
        assert!(!error.hint_text().unwrap().contains("such as"));
    }
}
