//! Endpoints on a virtual clock.
