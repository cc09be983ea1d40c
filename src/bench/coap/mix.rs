//! Which method has its turn.

use crate::coap::code::Code;
use crate::error::{Error, Result};

/// Methods, and how often each has its turn.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mix {
    methods: Vec<Code>,
    /// Over and over.
    turns: Vec<u8>,
}

impl Mix {
    /// Each method as often as its weight says, spread as evenly as can be.
    ///
    /// # Errors
    /// None at all, or too many turns.
    pub fn new(weights: &[(Code, u32)]) -> Result<Self> {
        let whole: u32 = weights.iter().map(|(_, weight)| *weight).sum();
        if !(1..=10_000).contains(&whole) {
            return Err(Error::usage(
                "the weights of a mix must add up to 1 to 10000",
            ));
        }
        // Who has waited longest, measured in turns, is next.
        let mut waited = vec![0_i64; weights.len()];
        let mut turns = Vec::with_capacity(whole as usize);
        for _ in 0..whole {
            for (waited, (_, weight)) in waited.iter_mut().zip(weights) {
                *waited += i64::from(*weight);
            }
            let longest = (0..waited.len()).max_by_key(|at| (waited[*at], usize::MAX - at));
            let next = longest.unwrap_or_default();
            waited[next] -= i64::from(whole);
            turns.push(next as u8);
        }
        Ok(Self {
            methods: weights.iter().map(|(code, _)| *code).collect(),
            turns,
        })
    }

    /// The methods.
    pub fn methods(&self) -> &[Code] {
        &self.methods
    }

    /// The method of message `sequence`.
    pub(super) fn method(&self, sequence: u64) -> Code {
        self.methods[self.turn(sequence)]
    }

    /// Which of the methods message `sequence` has.
    #[inline]
    pub(super) fn turn(&self, sequence: u64) -> usize {
        match self.turns.as_slice() {
            [one] => usize::from(*one),
            turns => usize::from(turns[(sequence % turns.len() as u64) as usize]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mix_is_spread_evenly() {
        let mix = Mix::new(&[(Code::GET, 3), (Code::PUT, 1)]).unwrap();
        let turns: Vec<usize> = (0..8).map(|sequence| mix.turn(sequence)).collect();
        assert_eq!(turns, [0, 0, 1, 0, 0, 0, 1, 0]);
        assert!(Mix::new(&[]).is_err());
        assert!(Mix::new(&[(Code::GET, 20_000)]).is_err());
    }
}
