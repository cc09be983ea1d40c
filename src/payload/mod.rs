//! Makes and reads bodies: files, stdin, lines, records, hex and base64.
