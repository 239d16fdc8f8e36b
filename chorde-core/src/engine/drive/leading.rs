//! What a leader does first: it claims the key at the client.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::settling::{Claimed, Lead};
use super::{Drive, Entered, Mode, Served, Step};
use crate::client::{Claim, Token};
use crate::clock::nanos;
use crate::flight::{Cargo, Landed, Leader};

/// Bounds of the pauses between two questions to a store in which another process computes.
const FIRST_PAUSE: Duration = Duration::from_millis(10);
const LONGEST_PAUSE: Duration = Duration::from_millis(250);

/// By how much two leases may last longer than asked for: shared stores count in whole seconds, and are asked now and then.
const ROUNDING: Duration = Duration::from_secs(2);

/// A failed claim that took longer counts as slow: the store is skipped.
const SLOW: u64 = 50_000_000;

/// What came of a claim.
struct Asked {
    claim: Claim<Cargo>,
    /// Whether the claim failed slowly.
    is_slow: bool,
}

impl Asked {
    fn told(claim: Claim<Cargo>) -> Self {
        Self { claim, is_slow: false }
    }
}

impl<'a> Drive<'a> {
    /// Goes from the lead to the point where the call has a value, or must compute one, if all can be said at once.
    pub(crate) fn led_at_once(self, leader: Leader, mode: Mode) -> Result<Entered<'a>, (Leader, Mode)> {
        if self.holds_back(&mode).is_some() {
            return Err((leader, mode));
        }
        let needs_claim = self.needs_claim(&leader, &mode);
        if needs_claim == Some(true) && self.backend.is_absent(self.key) {
            return Ok(self.compute_under(None, leader, mode));
        }
        let claim = match needs_claim {
            None => Claim::Absent(taken(&mode)),
            Some(false) if self.backend.is_current(self.key) => Claim::Absent(Token::default()),
            Some(false) => return Err((leader, mode)),
            Some(true) => match self.backend.claim_at_once(self.key, self.policy) {
                None => return Err((leader, mode)),
                Some(claim) => self.claim_or_none(claim),
            },
        };
        Ok(self.claimed(leader, mode, claim))
    }

    /// Does the same, and waits for the client.
    pub(crate) fn led(self, mut leader: Leader, mut mode: Mode) -> Step<'a, Entered<'a>> {
        Box::pin(async move {
            self.claim_again(&mut mode);
            let mut asked = match self.needs_claim(&leader, &mode) {
                Some(true) => self.claim_patiently(&leader, &mode).await,
                Some(false) => {
                    leader.flight().seen(self.clock().now());
                    self.backend.learn_revision(self.key).await;
                    Asked::told(Claim::Absent(Token::default()))
                }
                None => Asked::told(Claim::Absent(taken(&mode))),
            };
            let mut is_marked = false;
            if let Some(lasting) = self.holds_back(&mode) {
                let is_forced = matches!(&mode, Mode::Behind(ticket) if ticket.is_forced);
                (asked.claim, is_marked) = self.hold_back(asked.claim, lasting, is_forced).await;
            }
            leader.began_at(self.clock().now());
            let entered = self.claimed(leader, mode, asked.claim);
            match entered {
                Entered::Compute(lead) => Entered::Compute(Lead { is_slow: asked.is_slow, is_marked, ..lead }),
                entered => entered,
            }
        })
    }

    /// Says whether a leader claims at the client, or computes whatever that holds; `None` if it came with a claim.
    fn needs_claim(self, leader: &Leader, mode: &Mode) -> Option<bool> {
        match mode {
            Mode::Refresh | Mode::Beside(_) => Some(false),
            // It may lead a refresh that others wait for, and they do not want a stored value.
            _ if leader.flight().is_next() => Some(false),
            Mode::Behind(ticket) if ticket.is_forced => Some(false),
            Mode::Behind(ticket) if ticket.claim.is_some() => None,
            Mode::Call | Mode::Behind(_) => Some(true),
        }
    }

    /// Goes on with the answer to a claim.
    fn claimed(self, leader: Leader, mode: Mode, claim: Claim<Cargo>) -> Entered<'a> {
        let is_behind = matches!(mode, Mode::Behind(_));
        match claim {
            Claim::Fresh(entry) | Claim::DueElsewhere(entry) => {
                self.count_hit(&mode);
                leader.land(|| Landed::Value(Arc::clone(&entry.value), Some(entry.vitals().exceeded())));
                if is_behind { Entered::Idle } else { Entered::Serve(Served::Held(entry.value)) }
            }
            Claim::Due(entry, token) if !is_behind => {
                self.live.counters.due_hits.increment();
                leader.land(|| Landed::Value(Arc::clone(&entry.value), Some(entry.vitals().exceeded())));
                Entered::Due(entry.value, token)
            }
            Claim::AbsentElsewhere if is_behind => Entered::Idle,
            Claim::Due(entry, token) if token.is_lease() => {
                leader.land(|| Landed::Value(Arc::clone(&entry.value), Some(entry.vitals().exceeded())));
                let alone = self.live.flights.lead_alone(self.flight_key(), self.clock());
                self.compute_under(Some(token), alone, mode)
            }
            Claim::Due(_, token) | Claim::Absent(token) => self.compute_under(Some(token), leader, mode),
            Claim::AbsentElsewhere => self.compute_beside(leader, &mode),
        }
    }

    /// Computes though others were to, by a claim that this one has not.
    fn compute_beside(self, leader: Leader, mode: &Mode) -> Entered<'a> {
        self.count_miss(mode);
        Entered::Compute(Lead { is_beside: true, ..self.to_lead(None, Some(leader)) })
    }

    fn compute_under(self, token: Option<Token>, leader: Leader, mode: Mode) -> Entered<'a> {
        self.count_miss(&mode);
        let is_beside = matches!(mode, Mode::Beside(_));
        let claimed = token.map(|token| Box::new(Claimed::new(self, token)));
        let mut lead = Lead { is_beside, ..self.to_lead(claimed, Some(leader)) };
        if let Mode::Beside(beside) = mode {
            lead.beside = Some(beside);
        }
        Entered::Compute(lead)
    }

    pub(super) fn to_lead(self, claimed: Option<Box<Claimed<'a>>>, leader: Option<Leader>) -> Lead<'a> {
        let revision = self.backend.revision(self.key);
        if let Some(leader) = &leader {
            leader.flight().belongs_to(revision);
        }
        Lead { claimed, leader, beside: None, revision, is_beside: false, is_slow: false, is_marked: false }
    }

    /// Claims the key; where another process computes, asks again until it has, or for as long as two leases last: a
    /// computer that died is replaced after one, and its successor has the other. Who has waited for a computation that failed
    /// computes beside the next one.
    async fn claim_patiently(self, leader: &Leader, mode: &Mode) -> Asked {
        let clock = self.clock();
        let mut asked = clock.now();
        let until = asked.saturating_add(nanos(self.policy.lease.saturating_mul(2).saturating_add(ROUNDING)));
        let mut pause = FIRST_PAUSE;
        let (holder, mut first) = (AtomicU64::new(0), None);
        loop {
            leader.flight().seen(asked);
            let answer = self.backend.claim(self.key, self.policy, &holder).await;
            let now = clock.now();
            let is_slow = answer.is_err() && now.saturating_sub(asked) > SLOW;
            let claim = self.claim_or_none(answer);
            let waits = matches!((&claim, mode), (Claim::AbsentElsewhere, Mode::Call)) && !self.is_waiting_futile();
            if !waits || now >= until {
                return Asked { claim, is_slow };
            }
            let holder = holder.load(Ordering::Relaxed);
            let (known, since) = *first.get_or_insert((holder, now));
            // One that died is replaced when its lease ends, and not before.
            if known != holder {
                if now.saturating_sub(since) < nanos(self.policy.lease) {
                    self.live.failures.waited_for_nothing(self.key.digest(), now);
                    return Asked { claim, is_slow };
                }
                first = Some((holder, now));
            }
            clock.sleep(pause.mul_f64(0.5 + fastrand::f64())).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
            asked = clock.now();
        }
    }

    /// Takes a client that fails for one that holds nothing.
    fn claim_or_none(self, claim: crate::Result<Claim<Cargo>>) -> Claim<Cargo> {
        claim.unwrap_or_else(|error| {
            self.failed("claim", &error);
            Claim::Absent(Token::default())
        })
    }

    /// Returns for how long the refresh that a background job is for keeps other processes from theirs.
    fn holds_back(self, mode: &Mode) -> Option<Duration> {
        self.policy.renew.filter(|_| matches!(mode, Mode::Behind(_)) && self.backend.is_shared())
    }

    /// Has a job claim once more that came with a claim which kept nobody back: others may have refreshed the key meanwhile.
    fn claim_again(self, mode: &mut Mode) {
        if self.holds_back(mode).is_some()
            && let Mode::Behind(ticket) = mode
            && let Some(taken) = ticket.claim.take_if(|taken| !taken.token.is_lease())
        {
            self.backend.release(self.key, taken.token);
        }
    }

    /// Keeps other processes from refreshing what this one refreshes, where no lease does; returns whether a mark says so. What
    /// another process has marked is left to that one, unless the user forces the refresh.
    async fn hold_back(self, claim: Claim<Cargo>, lasting: Duration, is_forced: bool) -> (Claim<Cargo>, bool) {
        let held = match &claim {
            Claim::Due(entry, token) if !token.is_lease() => Ok(Some(Arc::clone(&entry.value))),
            // It refreshes whatever is held.
            Claim::Absent(token) if !token.is_lease() => self.backend.read(self.key, self.policy).await,
            _ => return (claim, false),
        };
        let marked = match held {
            Ok(None) => return (claim, false),
            Ok(Some(value)) => self.backend.mark(self.key, value, lasting).await,
            Err(error) => Err(error),
        };
        match (marked, claim) {
            (Ok(true), claim) => (claim, true),
            (Ok(false), claim) if is_forced => (claim, false),
            (Ok(false), Claim::Due(entry, _)) => (Claim::DueElsewhere(entry), false),
            (Ok(false), _) => (Claim::AbsentElsewhere, false),
            (Err(error), claim) => {
                self.failed("hold others back", &error);
                (claim, false)
            }
        }
    }
}

/// Returns the claim that a job came with.
fn taken(mode: &Mode) -> Token {
    match mode {
        Mode::Behind(ticket) => ticket.claim.map(|taken| taken.token).unwrap_or_default(),
        _ => Token::default(),
    }
}
