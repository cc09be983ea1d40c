//! The load engine: pacing, accounting and histograms behind one small driver contract; it prints nothing.
//!
//! | part | what it is for |
//! |---|---|
//! | [`plan`] | what a run is to do: groups of senders and receivers, load, phases |
//! | [`result`] | what a run has found, as a versioned value that is written, merged, compared and rendered |

pub mod plan;
pub mod result;
