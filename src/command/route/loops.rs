//! Routes and alerts whose messages come back to them: pure.

use crate::error::{Error, Result};
use crate::message::topic::intersect;

/// What is done with the messages of some sources and topics.
pub(super) struct Node {
    /// `route 1`
    pub(super) name: String,
    /// The indices of its sources.
    pub(super) from: Vec<usize>,
    pub(super) filter: String,
    /// The indices of targets, each with the filter of what they get.
    pub(super) out: Vec<(usize, String)>,
}

/// Refuses what feeds itself, in one step or in several; `same` tells whether a target and a source are one server.
///
/// # Errors
/// [`Kind::Usage`](crate::error::Kind::Usage) that names the first.
pub(super) fn check(nodes: &[Node], same: impl Fn(usize, usize) -> bool) -> Result<()> {
    let feeds = |from: &Node, into: &Node| {
        from.out.iter().any(|(target, image)| {
            let mut sources = into.from.iter();
            sources.any(|source| same(*target, *source)) && intersect(image, &into.filter)
        })
    };
    for (start, node) in nodes.iter().enumerate() {
        let mut reached = vec![false; nodes.len()];
        let mut open = vec![start];
        while let Some(at) = open.pop() {
            for next in (0..nodes.len()).filter(|&next| feeds(&nodes[at], &nodes[next])) {
                if next == start {
                    let text = format!(
                        "{}: its messages come back to it, as what goes to to, else or on-refused matches {}",
                        node.name, node.filter
                    );
                    return Err(Error::usage(text)
                        .hint("use a topic-out that its own topic does not match"));
                }
                if !std::mem::replace(&mut reached[next], true) {
                    open.push(next);
                }
            }
        }
    }
    Ok(())
}
