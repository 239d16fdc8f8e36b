//! When there were faults, and whom they concern.

use crate::functions::Scope;
use crate::time::SECOND;

use super::RECOVERY;

/// A fault, from its begin to its end.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Window {
    pub(crate) scope: Scope,
    pub(crate) kind: &'static str,
    pub(crate) from: u64,
    /// None while it goes on.
    pub(crate) to: Option<u64>,
    /// Whether what was sent before is carried out at its end.
    pub(crate) hangs: bool,
}

/// A stall of a process, which ends before anybody hears of it.
pub(crate) const STALL: &str = "stall";

/// A worker that is killed; it shows nothing to anybody afterwards.
pub(crate) const KILL: &str = "kill worker";

impl Window {
    fn end(&self) -> u64 {
        self.to.unwrap_or(u64::MAX)
    }

    fn is_of(&self, scope: Scope) -> bool {
        match (self.scope, scope) {
            (Scope::Process(own), Scope::Process(other)) => own == other,
            // What happens to one process has effects on all that share a fleet with it.
            (Scope::Process(_), _) => true,
            (own, other) => own == other,
        }
    }
}

/// All faults that still matter.
#[derive(Debug, Default)]
pub(crate) struct Windows(Vec<Window>);

impl Windows {
    /// Begins a window; returns its number.
    pub(crate) fn open(&mut self, window: Window) {
        self.0.push(window);
    }

    /// Ends the window that began like this.
    pub(crate) fn close(&mut self, scope: Scope, from: u64, to: u64) {
        if let Some(window) = self.0.iter_mut().find(|window| window.scope == scope && window.from == from) {
            window.to = Some(to);
        }
    }

    /// Forgets what cannot excuse anything any more.
    pub(crate) fn forget(&mut self, now: u64) {
        self.0.retain(|window| window.end().saturating_add(60 * SECOND) > now);
    }

    /// Returns a fault that concerns `scope` and had effects between the two times.
    pub(crate) fn around(&self, scope: Scope, from: u64, to: u64) -> Option<&Window> {
        let has_effects = |window: &&Window| window.from <= to && window.end().saturating_add(RECOVERY) >= from;
        self.0.iter().filter(|window| window.is_of(scope)).find(has_effects)
    }

    /// Returns all that there was between the two times.
    pub(crate) fn near(&self, from: u64, to: u64) -> impl Iterator<Item = &Window> {
        self.0.iter().filter(move |window| window.from <= to && window.end() >= from)
    }

    /// As [`around`](Self::around): a fault after which that process may differ from others about which server is in use,
    /// or did not run. What happens to other processes changes nothing in what it is shown.
    pub(crate) fn parted(&self, worker: u16, scope: Scope, from: u64, to: u64) -> Option<&Window> {
        let has_effects = |window: &&Window| window.from <= to && window.end().saturating_add(RECOVERY) >= from;
        let concerns = |window: &&Window| match window.scope {
            Scope::Process(other) => other == worker && window.kind != KILL,
            fleet => fleet == scope,
        };
        self.0.iter().filter(concerns).find(has_effects)
    }

    /// Returns by when a store of this scope has what was sent to it from `from` on, if it takes `calm` while nothing fails
    /// and `troubled` else.
    pub(crate) fn stored_by(&self, scope: Scope, from: u64, (calm, troubled): (u64, u64)) -> u64 {
        let mut stored = from + calm;
        // Each turn takes in one window more at least.
        for _ in 0..=self.0.len() {
            let windows = self.0.iter().filter(|window| window.is_of(scope));
            let touched = windows.filter(|window| window.from <= stored && window.end() >= from);
            let late =
                touched.map(|window| if window.hangs { window.end() } else { from }.saturating_add(troubled)).max();
            match late {
                Some(late) if late > stored => stored = late,
                _ => break,
            }
        }
        stored
    }

    /// Returns for how long that process did not run between the two times, or shortly before them.
    pub(crate) fn stalled(&self, worker: u16, from: u64, to: u64) -> u64 {
        let stalls = self.0.iter().filter(|window| window.kind == STALL && window.scope == Scope::Process(worker));
        let touched = stalls.filter(|window| window.from <= to && window.end().saturating_add(SECOND) >= from);
        touched.map(|window| window.end() - window.from).sum()
    }
}
