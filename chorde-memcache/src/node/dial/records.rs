//! Where the records end in which commands are encrypted. PURE.
//!
//! memcached waits for its socket and then reads once: up to 16 KiB where it awaits commands, the rest of a value where
//! it awaits that. OpenSSL takes in a record as a whole, and what of it was not read stays there; the socket does not
//! show it, so that memcached waits for more bytes while a command lies before it (seen in 1.6.18: half of all long
//! batches hang). So a record ends where such a reading ends: it holds whole commands, or the beginning of the last one's
//! value, or more of one value and nothing behind it.

/// The most that a record holds, and that memcached reads at once.
pub(super) const LONGEST: usize = 16 * 1024;

/// The end of a line, which also ends each value.
const END: &[u8] = b"\r\n";

/// Follows what is sent, and says where to end each record.
#[derive(Debug)]
pub(super) struct Records {
    longest: usize,
    /// How many bytes of a value are still to come, its end included.
    data: usize,
    /// A line that was begun in the records before.
    begun: Vec<u8>,
}

impl Records {
    /// Begins a connection whose records hold no more than that.
    pub(super) fn new(longest: usize) -> Self {
        Self { longest: longest.clamp(1, LONGEST), data: 0, begun: Vec::new() }
    }

    pub(super) fn longest(&self) -> usize {
        self.longest
    }

    /// Returns how many of these bytes the next record takes: at least one, if there is one.
    pub(super) fn next(&mut self, bytes: &[u8]) -> usize {
        if self.data > 0 {
            let taken = bytes.len().min(self.longest).min(self.data);
            self.data -= taken;
            return taken;
        }
        let room = LONGEST.saturating_sub(self.begun.len()).max(1);
        let bytes = &bytes[..bytes.len().min(room).min(self.longest)];
        let mut end = 0;
        while let Some(length) = bytes[end..].iter().position(|&byte| byte == b'\n') {
            let line = &bytes[end..=end + length];
            self.begun.extend_from_slice(line);
            let data = data_after(&self.begun);
            self.begun.clear();
            end += line.len();
            let here = data.min(bytes.len() - end);
            end += here;
            self.data = data - here;
        }
        if end == 0 {
            // A line that is not whole: who writes has no more of it.
            self.begun.extend_from_slice(bytes);
            return bytes.len();
        }
        end
    }
}

/// Returns how many bytes belong to a command behind its line: those of a value and its end.
fn data_after(line: &[u8]) -> usize {
    let mut words = line.strip_suffix(END).unwrap_or(line).split(|&byte| byte == b' ');
    let place = match words.next() {
        Some(b"ms") => 1,
        Some(b"set" | b"add" | b"cas") => 3,
        _ => return 0,
    };
    let size = words.nth(place).and_then(|size| std::str::from_utf8(size).ok()?.parse::<usize>().ok());
    size.map_or(0, |size| size.saturating_add(END.len()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[derive(Clone, Debug)]
    enum Said {
        Line(usize),
        Value(bool, usize),
    }

    /// Writes a command, and tells how long its line and its value are.
    fn written(said: &Said) -> (Vec<u8>, usize) {
        match said {
            Said::Line(length) => (format!("mg {} v f O1\r\n", "k".repeat(*length)).into_bytes(), 0),
            Said::Value(meta, size) => {
                let line = if *meta { format!("ms k {size} T9 O1\r\n") } else { format!("cas k 0 9 {size} 7\r\n") };
                // Data may look like anything.
                let data = b"ms k 9\r\n\n".iter().cycle().take(*size).copied();
                let whole = line.into_bytes().into_iter().chain(data).chain(*b"\r\n").collect::<Vec<_>>();
                (whole, size + 2)
            }
        }
    }

    /// Cuts what is written in such pieces into records.
    fn cut(records: &mut Records, written: &[u8], pieces: &[usize]) -> Vec<usize> {
        let mut lengths = Vec::new();
        let (mut rest, mut pieces) = (written, pieces.iter().cycle());
        while !rest.is_empty() {
            let (mut piece, after) = rest.split_at(rest.len().min(*pieces.next().unwrap()));
            rest = after;
            while !piece.is_empty() {
                let taken = records.next(piece);
                assert!(taken > 0 && taken <= piece.len().min(records.longest()), "{taken} of {}", piece.len());
                lengths.push(taken);
                piece = &piece[taken..];
            }
        }
        lengths
    }

    /// Reads records as memcached does; fails where it would leave some of one unread.
    fn read(said: &[(Vec<u8>, usize)], records: &[usize]) {
        let parts = said.iter().flat_map(|(whole, data)| [(false, whole.len() - data), (true, *data)]);
        let mut parts = parts.filter(|(_, length)| *length > 0);
        let (mut in_data, mut left) = parts.next().unwrap_or_default();
        let mut held = 0;
        for &record in records {
            let asked = if in_data && held == 0 { left } else { LONGEST - held };
            assert!(record <= asked, "{record} bytes where {asked} are asked for");
            held += record;
            // Whole lines are carried out; of a value, what is there is taken.
            while held > 0 && (held >= left || in_data) {
                let taken = held.min(left);
                (held, left) = (held - taken, left - taken);
                if left == 0 {
                    (in_data, left) = parts.next().unwrap_or_default();
                } else {
                    break;
                }
            }
        }
    }

    fn command() -> impl Strategy<Value = Said> {
        let sizes = prop_oneof![0..100_usize, 1000..40_000_usize, 16_300..16_400_usize];
        prop_oneof![(1..250_usize).prop_map(Said::Line), (any::<bool>(), sizes).prop_map(|(m, s)| Said::Value(m, s))]
    }

    proptest! {
        #[test]
        fn every_record_is_read_as_a_whole(
            said in prop::collection::vec(command(), 1..40),
            pieces in prop::collection::vec(1..60_000_usize, 1..6),
            longest in 1..20_000_usize,
        ) {
            let said: Vec<_> = said.iter().map(written).collect();
            let whole: Vec<u8> = said.iter().flat_map(|(whole, _)| whole).copied().collect();
            for longest in [longest, LONGEST] {
                let records = cut(&mut Records::new(longest), &whole, &pieces);
                prop_assert_eq!(records.iter().sum::<usize>(), whole.len());
                read(&said, &records);
            }
        }
    }

    #[test]
    fn what_fits_is_one_record() {
        let mut records = Records::new(LONGEST);
        assert_eq!(records.next(b"mg a v\r\nms b 3\r\nabc\r\nmd c\r\n"), 27);
        let value = [b"ms b 20000\r\n".as_slice(), &[b'x'; 20_000], b"\r\nmn\r\n"].concat();
        assert_eq!(records.next(&value), LONGEST);
        assert_eq!(records.next(&value[LONGEST..]), 20_014 - LONGEST, "the value's end, and not what is behind");
        assert_eq!(records.next(b"mn\r\n"), 4);
        assert_eq!(records.next(b""), 0);
    }
}
