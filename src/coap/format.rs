//! Content formats by number, media type or short name (the IANA registry, by way of `coap-numbers`).

/// Short names beside the media types; the first one of a number is the one that is shown.
const SHORT: [(&str, u16); 22] = [
    ("text", 0),
    ("text/plain", 0),
    ("link", 40),
    ("link-format", 40),
    ("xml", 41),
    ("octets", 42),
    ("binary", 42),
    ("exi", 47),
    ("json", 50),
    ("json-patch", 51),
    ("merge-patch", 52),
    ("cbor", 60),
    ("cwt", 61),
    ("multipart", 62),
    ("cbor-seq", 63),
    ("senml", 110),
    ("senml+json", 110),
    ("senml+cbor", 112),
    ("senml+xml", 310),
    ("lwm2m-tlv", 11_542),
    ("lwm2m-json", 11_543),
    ("lwm2m-cbor", 11_544),
];

/// Link-format (RFC 6690).
pub(crate) const LINK: u16 = 40;

/// The number that a word means: `50`, `json` or `application/json`.
/// Media types may be written in any case and with or without space behind `;`.
pub(crate) fn number(word: &str) -> Option<u16> {
    if let Ok(number) = word.parse() {
        return Some(number);
    }
    let short = SHORT
        .iter()
        .find(|(name, _)| name.eq_ignore_ascii_case(word));
    short
        .map(|(_, number)| *number)
        .or_else(|| coap_numbers::content_format::from_str(word))
        .or_else(|| registered(word))
}

fn registered(word: &str) -> Option<u16> {
    let wanted = squeezed(word);
    (0..=u16::MAX).find(|number| media_type(*number).is_some_and(|it| squeezed(it) == wanted))
}

fn squeezed(media_type: &str) -> String {
    let letters = media_type.chars().filter(|letter| *letter != ' ');
    letters.map(|letter| letter.to_ascii_lowercase()).collect()
}

/// The media type of a number: `application/json`.
pub(crate) fn media_type(number: u16) -> Option<&'static str> {
    coap_numbers::content_format::to_str(number)
}

/// The short name of a number: `json`.
pub(crate) fn short(number: u16) -> Option<&'static str> {
    SHORT
        .iter()
        .find(|(_, other)| *other == number)
        .map(|(name, _)| *name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_found_in_three_ways() {
        for word in ["50", "json", "JSON", "application/json", "Application/JSON"] {
            assert_eq!(number(word), Some(50), "{word}");
        }
        assert_eq!(number("text/plain;charset=utf-8"), Some(0));
        assert_eq!(number("application/senml+cbor"), Some(112));
        assert_eq!((number("nonsense/x"), number("65536")), (None, None));
    }

    #[test]
    fn a_number_has_its_names() {
        assert_eq!(
            (media_type(60), short(60)),
            (Some("application/cbor"), Some("cbor"))
        );
        assert_eq!((media_type(60_000), short(60_000)), (None, None));
        assert!(
            SHORT
                .iter()
                .all(|(_, number)| media_type(*number).is_some())
        );
    }
}
