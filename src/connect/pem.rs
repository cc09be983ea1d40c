//! Certificates and keys from PEM files (RFC 7468), with errors that name the file and never show what is in it.

use std::fs;
use std::path::{Path, PathBuf};

use data_encoding::BASE64;
use rustls::pki_types::pem::{self, PemObject, SectionKind};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, SubjectPublicKeyInfoDer};
use x509_parser::der_parser::asn1_rs::{Any, FromDer};

use crate::error::{Error, Result};
use crate::file::{self, SMALL};

use super::certificate::Certificate;

/// Why a file does not hold what it should: completes `no certificate found in FILE: …`.
#[derive(Debug, PartialEq, Eq)]
struct Fault {
    what: &'static str,
    hint: Option<&'static str>,
}

const fn fault(what: &'static str, hint: &'static str) -> Fault {
    let hint = Some(hint);
    Fault { what, hint }
}

impl Fault {
    fn of(self, path: &Path, wanted: &str) -> Error {
        let path = path.display();
        let error = match self.what {
            "" => Error::usage(format!("no {wanted} found in {path}")),
            what => Error::usage(format!("no {wanted} found in {path}: {what}")),
        };
        match self.hint {
            Some(hint) => error.hint(hint),
            None => error,
        }
    }
}

/// All certificates of a PEM file, in their order; at least one.
pub(super) fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>> {
    let bytes = file::read(path, SMALL)?;
    certificates_of(&bytes).map_err(|fault| fault.of(path, "certificate"))
}

/// The certificates of all PEM files in a folder, each with its file.
///
/// Such folders hold other files too: keys, revocation lists, notes. One that is of no use does not spoil the rest.
pub(super) fn certificates_in(folder: &Path) -> Result<Vec<(PathBuf, CertificateDer<'static>)>> {
    let unreadable = |cause| file::unreadable(folder.display(), &cause);
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).map_err(unreadable)? {
        files.push(entry.map_err(unreadable)?.path());
    }
    files.sort();
    let (mut all, mut first_fault) = (Vec::new(), None);
    for file in files.into_iter().filter(|file| file.is_file()) {
        match certificates(&file) {
            Ok(found) => {
                let readable = found
                    .into_iter()
                    .filter(|it| Certificate::parse(it).is_some());
                all.extend(readable.map(|certificate| (file.clone(), certificate)));
            }
            Err(why) => first_fault = first_fault.or(Some(why)),
        }
    }
    if !all.is_empty() {
        return Ok(all);
    }
    let error = Error::usage(format!("no certificate found in {}", folder.display()));
    Err(match first_fault {
        Some(why) => error.hint(why.text()),
        None => error,
    })
}

/// A private key as it stands in a file.
pub(super) enum Key {
    Plain(PrivateKeyDer<'static>),
    /// An EncryptedPrivateKeyInfo (RFC 5958 §3).
    Encrypted(Vec<u8>),
}

const ENCRYPTED: &str = "-----BEGIN ENCRYPTED PRIVATE KEY-----";

/// The first private key of a PEM file.
pub(super) fn private_key(path: &Path) -> Result<Key> {
    let bytes = file::read(path, SMALL)?;
    if contains(&bytes, "Proc-Type: 4,ENCRYPTED") {
        let text = format!(
            "the key in {} is encrypted in an outdated format, by MD5 of the password",
            path.display()
        );
        return Err(
            Error::usage(text).hint("convert it with openssl pkcs8 -topk8 -in FILE -out NEW_FILE")
        );
    }
    let found = match contains(&bytes, ENCRYPTED) {
        true => encrypted(&bytes).map(Key::Encrypted),
        false => key_of(&bytes).map(Key::Plain),
    };
    found.map_err(|fault| fault.of(path, "private key"))
}

/// Whether a PEM file has a private key, of whatever kind.
pub(super) fn has_key(bytes: &[u8]) -> bool {
    contains(bytes, "PRIVATE KEY-----")
}

fn contains(bytes: &[u8], words: &str) -> bool {
    memchr::memmem::find(bytes, words.as_bytes()).is_some()
}

/// The parser of PEM passes over what it has no type for.
fn encrypted(bytes: &[u8]) -> Result<Vec<u8>, Fault> {
    let text = text(bytes)?;
    check_markers(&text)?;
    let (_, rest) = text.split_once(ENCRYPTED).unwrap_or_default();
    let (base64, _) = rest.split_once("-----END ").ok_or(UNENDED)?;
    let base64: String = base64.split_ascii_whitespace().collect();
    BASE64.decode(base64.as_bytes()).map_err(|_| NOT_BASE64)
}

/// All public keys of a PEM file; at least one.
pub(crate) fn public_keys(path: &Path) -> Result<Vec<SubjectPublicKeyInfoDer<'static>>> {
    let bytes = file::read(path, SMALL)?;
    public_keys_of(&bytes).map_err(|fault| fault.of(path, "public key"))
}

fn certificates_of(bytes: &[u8]) -> Result<Vec<CertificateDer<'static>>, Fault> {
    let text = text(bytes)?;
    let found: Vec<_> = sections(&text)?
        .into_iter()
        .filter_map(|(kind, der)| CertificateDer::from_pem(kind, der))
        .collect();
    if !found.is_empty() {
        return Ok(found);
    }
    let labels: Vec<&str> = labels(&text).collect();
    let has = |words: &str| labels.iter().any(|label| label.ends_with(words));
    Err(if has("TRUSTED CERTIFICATE") || has("X509 CERTIFICATE") {
        fault(
            "it is a TRUSTED CERTIFICATE, an OpenSSL-only format",
            "convert it with openssl x509 -in FILE -out NEW_FILE",
        )
    } else if has("PKCS7") || has("CMS") {
        PKCS7
    } else if has("CERTIFICATE REQUEST") {
        fault(
            "it is a certificate signing request, not a certificate",
            "have a CA sign it: openssl x509 -req -in FILE …",
        )
    } else if has("PRIVATE KEY") {
        fault(
            "it holds a private key",
            "use --cert for the certificate and --key for the private key",
        )
    } else {
        nothing(bytes, &text)
    })
}

fn public_keys_of(bytes: &[u8]) -> Result<Vec<SubjectPublicKeyInfoDer<'static>>, Fault> {
    let text = text(bytes)?;
    let found: Vec<_> = sections(&text)?
        .into_iter()
        .filter_map(|(kind, der)| SubjectPublicKeyInfoDer::from_pem(kind, der))
        .collect();
    if !found.is_empty() {
        return Ok(found);
    }
    let has = |words: &str| labels(&text).any(|label| label.ends_with(words));
    Err(if has("PRIVATE KEY") {
        fault(
            "it holds a private key",
            "extract the public key with openssl pkey -in FILE -pubout -out NEW_FILE",
        )
    } else if has("CERTIFICATE") {
        fault(
            "it holds a certificate",
            "extract the public key with openssl x509 -in FILE -noout -pubkey > NEW_FILE",
        )
    } else {
        nothing(bytes, &text)
    })
}

fn key_of(bytes: &[u8]) -> Result<PrivateKeyDer<'static>, Fault> {
    let text = text(bytes)?;
    let found = sections(&text)?
        .into_iter()
        .find_map(|(kind, der)| PrivateKeyDer::from_pem(kind, der));
    if let Some(key) = found {
        return Ok(key);
    }
    let labels: Vec<&str> = labels(&text).collect();
    let has = |words: &str| labels.iter().any(|label| label.ends_with(words));
    Err(if has("OPENSSH PRIVATE KEY") {
        fault(
            "it is in OpenSSH format",
            "convert a copy with ssh-keygen -p -m PEM -f COPY_OF_FILE",
        )
    } else if has("PRIVATE KEY") {
        fault(
            "its key type is not supported",
            "supported are P-256, P-384, Ed25519, and RSA keys of at least 2048 bits",
        )
    } else if has("CERTIFICATE") {
        fault(
            "it holds a certificate",
            "use --cert for the certificate and --key for the private key",
        )
    } else if has("PUBLIC KEY") {
        fault(
            "it holds a public key",
            "the private key is in another file",
        )
    } else {
        nothing(bytes, &text)
    })
}

/// The text of a file without byte order marks, which also come to stand between files that were joined. Comments may be
/// in any encoding.
fn text(bytes: &[u8]) -> Result<String, Fault> {
    let is_utf_16 = bytes.starts_with(&[0xff, 0xfe])
        || bytes.starts_with(&[0xfe, 0xff])
        || memchr::memmem::find(bytes, b"-\0-\0-").is_some();
    if is_utf_16 {
        return Err(fault(
            "the text is UTF-16",
            "convert it with iconv -f UTF-16 -t UTF-8 FILE",
        ));
    }
    Ok(String::from_utf8_lossy(bytes).replace('\u{feff}', ""))
}

/// What stands between the marker lines, decoded.
fn sections(text: &str) -> Result<Vec<(SectionKind, Vec<u8>)>, Fault> {
    check_markers(text)?;
    let found = <(SectionKind, Vec<u8>)>::pem_slice_iter(text.as_bytes());
    found
        .collect::<Result<_, _>>()
        // Their own words would show the lines, in which a private key may stand.
        .map_err(|cause| match cause {
            pem::Error::MissingSectionEnd { .. } => UNENDED,
            pem::Error::IllegalSectionStart { .. } => MALFORMED_MARKER,
            _ => NOT_BASE64,
        })
}

const BEGIN: &str = "-----BEGIN ";

const PKCS7: Fault = fault(
    "it is PKCS#7",
    "extract the certificates with openssl pkcs7 -in FILE -print_certs -out NEW_FILE; add -inform der if FILE is binary",
);

const NOT_BASE64: Fault = fault(
    "the text between its BEGIN and END lines is not base64",
    "the file may be damaged; get a new copy",
);

const UNENDED: Fault = fault(
    "an END line is missing",
    "the file may be truncated; it must end with -----END …-----, on its own line",
);

const MALFORMED_MARKER: Fault = fault(
    "a BEGIN or END line is malformed",
    "expected five hyphens on each side, as in -----BEGIN CERTIFICATE-----, on their own line",
);

/// Marker lines are only seen at the start of a line and alone in it. What a parser passes over would be missing silently.
fn check_markers(text: &str) -> Result<(), Fault> {
    let mut open = false;
    for line in text.split(['\n', '\r']) {
        let trimmed = line.trim();
        let Some((before, after)) = trimmed.split_once(BEGIN) else {
            open &= !trimmed.starts_with("-----END ");
            continue;
        };
        if after.contains("\\n") {
            return Err(fault(
                "its line breaks are written as \\n",
                "write real line breaks with printf '%b\\n' \"$VALUE\" > FILE",
            ));
        }
        if after.contains("-----END ") || !before.is_empty() && after.len() > 80 {
            return Err(fault(
                "it is all on one line",
                "the BEGIN line, the base64 text and the END line must be on separate lines",
            ));
        }
        if !before.is_empty() {
            // A comment.
            continue;
        }
        if !line.starts_with(BEGIN) {
            return Err(fault(
                "its lines are indented",
                "remove the indentation with sed 's/^[[:space:]]*//' FILE > NEW_FILE",
            ));
        }
        if !after.ends_with("-----") {
            return Err(MALFORMED_MARKER);
        }
        if open {
            return Err(UNENDED);
        }
        open = true;
    }
    Ok(())
}

/// The labels of all sections: `CERTIFICATE`.
fn labels(text: &str) -> impl Iterator<Item = &str> {
    let lines = text.split(['\n', '\r']);
    lines.filter_map(|line| line.strip_prefix(BEGIN)?.trim_end().strip_suffix("-----"))
}

/// What a file may be in which there is no section at all.
fn nothing(bytes: &[u8], text: &str) -> Fault {
    let none = |what| Fault { what, hint: None };
    match bytes {
        [] => return none("the file is empty"),
        [0xfe, 0xed, 0xfe, 0xed, ..] => {
            return fault(
                "it is a Java keystore",
                "convert it to PKCS#12 with keytool -importkeystore -srckeystore FILE -destkeystore NEW.p12, then to PEM with openssl pkcs12",
            );
        }
        [0x30, ..] => return binary(bytes).unwrap_or_else(|| none("")),
        _ => {}
    }
    // A SEQUENCE of more than 127 bytes.
    if text.trim_start().starts_with("MI") && !text.trim().contains(' ') {
        return fault(
            "it is base64 without BEGIN and END lines",
            "add a line -----BEGIN CERTIFICATE----- or -----BEGIN PRIVATE KEY----- above it, and the END line below",
        );
    }
    if text.contains("BEGIN ") && text.contains("--") {
        return MALFORMED_MARKER;
    }
    none("")
}

/// What a file of ASN.1 without PEM around it is.
fn binary(bytes: &[u8]) -> Option<Fault> {
    const PKCS12: Fault = fault(
        "it is PKCS#12",
        "split it with openssl pkcs12 -in FILE -nokeys -out CERT_FILE and openssl pkcs12 -in FILE -nocerts -nodes -out KEY_FILE",
    );
    // RFC 7292 §4: version 3; often with an indefinite length.
    if bytes.starts_with(&[0x30, 0x80, 0x02, 0x01, 0x03]) {
        return Some(PKCS12);
    }
    let (_, outer) = Any::from_der(bytes).ok()?;
    // signed-data (RFC 5652 §5.1).
    let pkcs7 = [6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 7, 2];
    match outer.data {
        [0x02, 0x01, 0x03, ..] => Some(PKCS12),
        [0x02, 0x01, 0x00 | 0x01, ..] => Some(fault(
            "it is a private key in DER",
            "convert it with openssl pkey -inform der -in FILE -out NEW_FILE",
        )),
        data if data.starts_with(&pkcs7) => Some(PKCS7),
        _ => Certificate::parse(bytes).map(|_| {
            fault(
                "it is a certificate in DER",
                "convert it with openssl x509 -inform der -in FILE -out NEW_FILE",
            )
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(folder: &tempfile::TempDir, name: &str, text: &str) -> PathBuf {
        let path = folder.path().join(name);
        fs::write(&path, text).unwrap();
        path
    }

    #[test]
    fn files_without_what_is_looked_for_are_named() {
        let folder = tempfile::tempdir().unwrap();
        let empty = file(&folder, "empty.pem", "nothing here\n");
        let refused = certificates(&empty).unwrap_err();
        assert_eq!(
            refused.text(),
            format!("no certificate found in {}", empty.display())
        );
        assert_eq!(refused.exit_code(), 2);
        assert!(
            certificates_in(folder.path())
                .unwrap_err()
                .text()
                .starts_with("no certificate found in ")
        );

        let missing = folder.path().join("missing.pem");
        let refused = certificates(&missing).unwrap_err();
        assert_eq!(
            refused.text(),
            format!(
                "cannot read {}: no such file or directory",
                missing.display()
            )
        );
        assert_eq!(refused.exit_code(), 8);
    }

    /// A certificate and its key, PEM.
    fn pair() -> (String, String) {
        let own = rcgen::generate_simple_self_signed([String::from("a")]).unwrap();
        (own.cert.pem(), own.signing_key.serialize_pem())
    }

    fn told(fault: &Fault) -> (&'static str, &'static str) {
        (fault.what, fault.hint.unwrap_or_default())
    }

    #[test]
    fn byte_order_marks_and_foreign_comments_do_not_matter() {
        let (certificate, key) = pair();
        let two = format!("\u{feff}{certificate}\u{feff}{certificate}");
        assert_eq!(certificates_of(two.as_bytes()).unwrap().len(), 2);
        let commented = [b"M\xfcller\n".as_slice(), certificate.as_bytes()].concat();
        assert_eq!(certificates_of(&commented).unwrap().len(), 1);
        let dos = format!("\u{feff}{}", key.replace('\n', "\r\n"));
        assert!(key_of(dos.as_bytes()).is_ok());
    }

    #[test]
    fn what_went_wrong_with_a_file_is_told_without_its_content() {
        let (certificate, key) = pair();
        let utf_16 = |text: &str| text.encode_utf16().flat_map(u16::to_le_bytes).collect();
        type Change<'a> = &'a dyn Fn(&str) -> Vec<u8>;
        let table: [(Change<'_>, &str, &str); 9] = [
            (
                &|text| text.replace('\n', "\\n").into_bytes(),
                "its line breaks are written as \\n",
                "printf",
            ),
            (
                &|text| format!("KEY=\"{}\"", text.replace('\n', "\\n")).into_bytes(),
                "its line breaks are written as \\n",
                "printf",
            ),
            (
                &|text| text.replace('\n', " ").into_bytes(),
                "it is all on one line",
                "must be on separate lines",
            ),
            (
                &|text| {
                    text.replace('\n', "\n  ")
                        .replacen("--", "  --", 1)
                        .into_bytes()
                },
                "its lines are indented",
                "sed",
            ),
            (&utf_16, "the text is UTF-16", "iconv"),
            (
                &|text| text.replace("-----BEGIN", "----BEGIN").into_bytes(),
                "a BEGIN or END line is malformed",
                "five hyphens",
            ),
            (
                &|text| text.as_bytes()[..text.len() / 2].to_vec(),
                "an END line is missing",
                "truncated",
            ),
            (
                &|text| text.replace("\nM", "\n*").into_bytes(),
                "the text between its BEGIN and END lines is not base64",
                "damaged",
            ),
            (
                &|text| {
                    text.lines()
                        .filter(|line| !line.contains("--"))
                        .collect::<String>()
                        .into()
                },
                "it is base64 without BEGIN and END lines",
                "BEGIN",
            ),
        ];
        for (change, what, hint) in table {
            for text in [&certificate, &key] {
                let changed = change(text);
                for fault in [
                    certificates_of(&changed).unwrap_err(),
                    key_of(&changed).unwrap_err(),
                ] {
                    let said = told(&fault);
                    assert!(said.0 == what && said.1.contains(hint), "{said:?}");
                }
            }
        }
        // In a file of two, one that cannot be read is not passed over.
        let second = format!("{certificate}{}", certificate.replacen('-', " -", 1));
        assert_eq!(
            certificates_of(second.as_bytes()).unwrap_err().what,
            "its lines are indented"
        );
    }

    #[test]
    fn other_kinds_of_files_are_named() {
        let (certificate, key) = pair();
        let label = |label: &str| certificate.replace("CERTIFICATE", label).into_bytes();
        let der = certificates_of(certificate.as_bytes()).unwrap().remove(0);
        for (bytes, what) in [
            (label("PKCS7"), "it is PKCS#7"),
            (
                label("TRUSTED CERTIFICATE"),
                "it is a TRUSTED CERTIFICATE, an OpenSSL-only format",
            ),
            (
                label("CERTIFICATE REQUEST"),
                "it is a certificate signing request, not a certificate",
            ),
            (key.into_bytes(), "it holds a private key"),
            (der.to_vec(), "it is a certificate in DER"),
            (vec![0x30, 0x05, 2, 1, 3, 0x30, 0], "it is PKCS#12"),
            (vec![0x30, 0x80, 2, 1, 3, 0x30, 0x80], "it is PKCS#12"),
            (Vec::new(), "the file is empty"),
        ] {
            assert_eq!(certificates_of(&bytes).unwrap_err().what, what);
        }
        for (bytes, what) in [
            (certificate.clone().into_bytes(), "it holds a certificate"),
            (label("PUBLIC KEY"), "it holds a public key"),
            (label("OPENSSH PRIVATE KEY"), "it is in OpenSSH format"),
            (
                vec![0x30, 0x05, 2, 1, 0, 0x30, 0],
                "it is a private key in DER",
            ),
        ] {
            assert_eq!(key_of(&bytes).unwrap_err().what, what);
        }
    }

    #[test]
    fn a_bad_file_does_not_spoil_a_folder() {
        let folder = tempfile::tempdir().unwrap();
        let (certificate, key) = pair();
        file(&folder, "a.pem", &certificate.replace('\n', " "));
        file(&folder, "b.key", &key);
        file(
            &folder,
            "c.pem",
            "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
        );
        std::os::unix::fs::symlink("/nonexistent", folder.path().join("d.pem")).unwrap();
        let refused = certificates_in(folder.path()).unwrap_err();
        assert!(
            refused
                .hint_text()
                .unwrap()
                .ends_with("a.pem: it is all on one line")
        );
        let good = file(&folder, "e.pem", &certificate);
        let found = certificates_in(folder.path()).unwrap();
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].0, good);
    }
}
