//! What leads back to where it began: pure.

/// The shortest way from a node back to itself, for the first of `count` nodes that has one; `leads` tells whether one node leads to
/// another.
pub(crate) fn first(count: usize, leads: impl Fn(usize, usize) -> bool) -> Option<Vec<usize>> {
    (0..count).find_map(|start| from(start, count, &leads))
}

fn from(start: usize, count: usize, leads: impl Fn(usize, usize) -> bool) -> Option<Vec<usize>> {
    let mut known = vec![false; count];
    let mut ways = std::collections::VecDeque::from([vec![start]]);
    while let Some(way) = ways.pop_front() {
        // None is empty.
        let at = way.last().copied().unwrap_or(start);
        for next in (0..count).filter(|&next| leads(at, next)) {
            if next == start {
                return Some(way);
            }
            if !std::mem::replace(&mut known[next], true) {
                ways.push_back(way.iter().copied().chain([next]).collect());
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shortest_way_back_is_found() {
        let first = |arrows: &[(usize, usize)]| first(4, |from, to| arrows.contains(&(from, to)));
        assert_eq!(first(&[(0, 1), (1, 2), (2, 3)]), None);
        assert_eq!(first(&[(0, 1), (2, 2)]), Some(vec![2]));
        assert_eq!(first(&[(0, 1), (1, 0), (1, 1)]), Some(vec![0, 1]));
        assert_eq!(
            first(&[(0, 1), (1, 2), (2, 3), (3, 1)]),
            Some(vec![1, 2, 3])
        );
        assert_eq!(
            first(&[(0, 1), (1, 2), (2, 0), (1, 3), (3, 0)]),
            Some(vec![0, 1, 2])
        );
    }
}
