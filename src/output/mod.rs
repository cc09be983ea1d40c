//! The only room that writes to stdout and stderr: formats, colour, errors.
