//! The load engine: pacing, accounting and histograms behind one small driver contract; it prints nothing.
//!
//! The room is reserved by the layer rule; its first file comes with its first command.
