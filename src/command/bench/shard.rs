//! Which part of a load this process does, and what makes it one run with its fellows.

use std::env;
use std::hash::{DefaultHasher, Hash, Hasher};

use super::RunOptions;
use crate::bench::plan::Shard;
use crate::error::{Error, Result};
use crate::random::unguessable;

/// What distinguishes a run and its part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Identity {
    pub(crate) shard: Shard,
    pub(crate) run_id: u64,
    pub(crate) seed: u64,
}

/// Variables that hold an index and a count, best known first.
const PAIRS: [(&str, &str); 3] = [
    ("JOB_COMPLETION_INDEX", "IOTCTL_SHARDS"),
    ("SLURM_PROCID", "SLURM_NTASKS"),
    ("OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE"),
];

/// Variables that are the same for all shards of a run and different for the next run.
const RUNS: [&str; 2] = ["IOTCTL_RUN", "SLURM_JOB_ID"];

/// The largest number of a run: programs that read JSON with doubles round what is above (RFC 8259 §6).
pub(crate) const MOST_RUN_ID: u64 = (1 << 53) - 1;

/// The part that the flags or else the environment name. The shards of one run get one number: receivers tell by it
/// which messages are theirs.
///
/// # Errors
/// [`Kind::Usage`](crate::error::Kind::Usage) for a variable that is no shard.
pub(crate) fn identity(course: &RunOptions) -> Result<Identity> {
    let variable = |name: &str| env::var(name).ok().filter(|text| !text.is_empty());
    let shard = match course.shard {
        Some(shard) => shard,
        None => of_environment(variable)?.unwrap_or_default(),
    };
    let run_id = if let Some(run_id) = course.run_id {
        run_id
    } else if shard.count == 1 {
        unguessable() & MOST_RUN_ID
    } else {
        let mut hasher = DefaultHasher::new();
        (course.seed, course.start_at, shard.count).hash(&mut hasher);
        RUNS.map(variable).hash(&mut hasher);
        hasher.finish() & MOST_RUN_ID
    }
    .max(1);
    Ok(Identity {
        shard,
        run_id,
        seed: course.seed.unwrap_or(run_id),
    })
}

fn of_environment(variable: impl Fn(&str) -> Option<String>) -> Result<Option<Shard>> {
    if let Some(text) = variable("IOTCTL_SHARD") {
        let (index, count) = text.split_once('/').unwrap_or((&text, ""));
        return shard("IOTCTL_SHARD", &text, index, count).map(Some);
    }
    for (index_name, count_name) in PAIRS {
        if let (Some(index), Some(count)) = (variable(index_name), variable(count_name)) {
            let text = format!("{index}/{count}");
            let name = format!("{index_name}/{count_name}");
            return shard(&name, &text, &index, &count).map(Some);
        }
    }
    Ok(None)
}

fn shard(name: &str, text: &str, index: &str, count: &str) -> Result<Shard> {
    match (index.parse(), count.parse()) {
        (Ok(index), Ok(count)) if index < count => Ok(Shard { index, count }),
        _ => Err(Error::usage(format!("{name} is not a shard: {text:?}"))
            .hint("expected INDEX/COUNT, counted from 0: 0/4 to 3/4")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(variables: &[(&str, &str)]) -> Result<Option<Shard>> {
        of_environment(|name| {
            let found = variables.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn the_environment_names_a_shard() {
        let third = Some(Shard { index: 2, count: 4 });
        for variables in [
            [("IOTCTL_SHARD", "2/4"), ("X", "")],
            [("JOB_COMPLETION_INDEX", "2"), ("IOTCTL_SHARDS", "4")],
            [("SLURM_PROCID", "2"), ("SLURM_NTASKS", "4")],
        ] {
            assert_eq!(of(&variables).unwrap(), third);
        }
        assert_eq!(of(&[("JOB_COMPLETION_INDEX", "2")]).unwrap(), None);
    }

    #[test]
    fn what_is_no_shard_is_refused() {
        let refused = of(&[("IOTCTL_SHARD", "4/4")]).unwrap_err();
        assert_eq!(refused.text(), r#"IOTCTL_SHARD is not a shard: "4/4""#);
        assert!(of(&[("SLURM_PROCID", "x"), ("SLURM_NTASKS", "4")]).is_err());
    }

    #[test]
    fn shards_of_one_run_are_one_run() {
        let course = |index| RunOptions {
            shard: Some(Shard { index, count: 2 }),
            seed: Some(7),
            ..RunOptions::default()
        };
        let [first, second] = [0, 1].map(|index| identity(&course(index)).unwrap());
        assert_eq!((first.run_id, first.seed), (second.run_id, second.seed));
    }

    #[test]
    fn the_number_of_a_run_is_one_that_every_reader_of_json_keeps() {
        for seed in 0..64 {
            for count in [1, 2] {
                let course = RunOptions {
                    shard: Some(Shard { index: 0, count }),
                    seed: Some(seed),
                    ..RunOptions::default()
                };
                let run = identity(&course).unwrap().run_id;
                assert!((1..=MOST_RUN_ID).contains(&run), "{run}");
            }
        }
    }
}
