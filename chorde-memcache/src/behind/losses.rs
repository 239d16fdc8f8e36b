//! What was lost, for those who ask and for the log.

use chorde_core::{Error, ErrorKind, LogLimit};

/// Counts values that could not be written.
#[derive(Debug, Default)]
pub(super) struct Losses {
    count: u64,
    /// How many of them somebody was told of.
    told: u64,
    /// Why the last one was lost.
    last: Option<(ErrorKind, String)>,
    /// How many the log does not tell of yet.
    unlogged: u64,
    /// Keeps the log to one line a second, which tells how many values were lost.
    log_limit: LogLimit<()>,
}

impl Losses {
    /// Notes that values were lost; logs it, unless that was done just before.
    pub(super) fn add(&mut self, values: u64, error: &Error, now: u64) {
        self.count += values;
        self.unlogged += values;
        self.last = Some((error.kind(), error.to_string()));
        if self.log_limit.admit((), now).is_some() {
            self.log_rest();
        }
    }

    /// Logs what the log does not tell of yet.
    pub(super) fn log_rest(&mut self) {
        let count = std::mem::take(&mut self.unlogged);
        if let (1.., Some((_, why))) = (count, &self.last) {
            log::warn!("chorde: {count} queued writes to memcached were lost, the last one because: {why}");
        }
    }

    /// Returns how many losses somebody was told of.
    pub(super) fn told(&self) -> u64 {
        self.told
    }

    /// Tells of the losses that came after so many.
    pub(super) fn tell(&mut self, told: u64) -> Option<Error> {
        let count = self.count - told;
        self.told = self.count;
        let (kind, why) = self.last.as_ref().filter(|_| count > 0)?;
        Some(Error::new(*kind, format!("{count} queued writes to memcached were lost, the last one because: {why}")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_loss_is_told_once_to_all_who_asked_before() {
        let error = Error::new(ErrorKind::Unavailable, "no answer");
        let mut losses = Losses::default();
        assert!(losses.tell(losses.told()).is_none());
        let (one, other) = (losses.told(), losses.told());
        losses.add(2, &error, 0);
        losses.add(1, &error, 1);
        for told in [one, other] {
            let error = losses.tell(told).unwrap();
            assert_eq!(error.kind(), ErrorKind::Unavailable);
            assert!(error.to_string().contains("3 queued writes"), "{error}");
        }
        assert!(losses.tell(losses.told()).is_none());
    }

    #[test]
    fn the_log_is_told_once_a_second_and_at_last() {
        const QUIET: u64 = 1_000_000_000;
        let error = Error::new(ErrorKind::Unavailable, "no answer");
        let mut losses = Losses::default();
        for (now, unlogged) in [(0, 0), (1, 1), (QUIET - 1, 2), (QUIET, 0), (QUIET + 1, 1)] {
            losses.add(1, &error, now);
            assert_eq!(losses.unlogged, unlogged, "{now}");
        }
        losses.log_rest();
        assert_eq!(losses.unlogged, 0);
    }
}
