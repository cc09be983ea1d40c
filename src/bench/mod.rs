//! The load engine: pacing, accounting and histograms behind one small driver contract; it prints nothing.
//!
//! | part | what it is for |
//! |---|---|
//! | [`plan`] | what a run is to do: groups of senders and receivers, load, phases |
//! | [`result`] | what a run has found, as a versioned value that is written, merged, compared and rendered |
//! | [`report`] | every form in which people and programs see a result |
//! | [`threshold`] | what a run must reach: `p99 < 20ms` |
//! | [`merge`] | one result from those of many workers, exact |
//! | [`compare`] | whether one set of runs is better or worse than another |

pub mod plan;
pub mod report;
pub mod result;
