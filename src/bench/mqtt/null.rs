//! The broker's side of MQTT for a peer that does nothing but answer.

use super::scan::Frame;

/// Answers the packets in `bytes` and returns how many bytes it has taken; `None`: close the connection.
pub(in super::super) fn answer(
    bytes: &[u8],
    version_5: &mut bool,
    out: &mut Vec<u8>,
) -> Option<usize> {
    let mut taken = 0;
    while let Some(frame) = Frame::next(&bytes[taken..]).ok()? {
        match frame.kind() {
            // The protocol name and then the level (MQTT 5.0 §3.1.2).
            1 => {
                *version_5 = frame.body.get(6) == Some(&5);
                let connack: &[u8] = if *version_5 {
                    &[0x20, 3, 0, 0, 0]
                } else {
                    &[0x20, 2, 0, 0]
                };
                out.extend_from_slice(connack);
            }
            3 => publish(&frame, *version_5, out)?,
            5 => acknowledge(0x62, &frame, out)?,
            6 => acknowledge(0x70, &frame, out)?,
            8 => subscribed(&frame, *version_5, out)?,
            12 => out.extend_from_slice(&[0xD0, 0]),
            14 => return None,
            _ => {}
        }
        taken += frame.length;
    }
    Some(taken)
}

fn publish(frame: &Frame<'_>, version_5: bool, out: &mut Vec<u8>) -> Option<()> {
    let first = match frame.first >> 1 & 3 {
        0 => return Some(()),
        1 => 0x40,
        _ => 0x50,
    };
    let [high, low] = frame.message(version_5).ok()?.packet_id.to_be_bytes();
    out.extend_from_slice(&[first, 2, high, low]);
    Some(())
}

fn acknowledge(first: u8, frame: &Frame<'_>, out: &mut Vec<u8>) -> Option<()> {
    let [high, low] = frame.acknowledgement().ok()?.0.to_be_bytes();
    out.extend_from_slice(&[first, 2, high, low]);
    Some(())
}

/// Grants QoS 0 to the one filter that a load puts into a SUBSCRIBE.
fn subscribed(frame: &Frame<'_>, version_5: bool, out: &mut Vec<u8>) -> Option<()> {
    let [high, low] = frame.acknowledgement().ok()?.0.to_be_bytes();
    if version_5 {
        out.extend_from_slice(&[0x90, 4, high, low, 0, 0]);
    } else {
        out.extend_from_slice(&[0x90, 3, high, low, 0]);
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_answers_what_has_come_whole() {
        let connect = [
            0x10, 13, 0, 4, b'M', b'Q', b'T', b'T', 4, 2, 0, 0, 0, 1, b'a',
        ];
        let publish = [0x32, 6, 0, 1, b't', 0, 7, b'x'];
        let half = [0xC0];
        let bytes = [&connect[..], &publish, &half].concat();
        let (mut version_5, mut out) = (true, Vec::new());
        let taken = answer(&bytes, &mut version_5, &mut out);
        assert_eq!(taken, Some(bytes.len() - 1));
        assert_eq!(out, [0x20, 2, 0, 0, 0x40, 2, 0, 7]);
        assert!(!version_5);
        assert_eq!(answer(&[0xE0, 0], &mut version_5, &mut out), None);
    }
}
