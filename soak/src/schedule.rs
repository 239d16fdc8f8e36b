//! Which fault comes when (PURE): follows from the seed and the settings alone.

use std::fmt;

use fastrand::Rng;

use super::cycle::Cycle;
use super::functions::Scope;
use super::time::{MILLIS, SECOND};

/// What the network does in front of a named node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Weather {
    Delay(u64),
    CutReplies(u64),
    CutRequests(u64),
    LoseReplies(u64),
    Blackhole,
    /// Existing connections are stuck, new ones are not.
    BlackholeExisting,
    Reset,
    Refuse,
}

/// What happens. Nodes are numbers, taken modulo how many there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// A node is killed, and started again at the end, empty.
    Kill(Scope, u64),
    /// A node is stopped where it is, and goes on at the end.
    Pause(Scope, u64),
    Flush(Scope, u64),
    Network(u64, Weather),
    AddNode,
    RemoveNode(u64),
    ReplaceNode(u64),
    /// The cluster's endpoint does not answer, or refuses connections.
    HoldEndpoint,
    StopEndpoint,
    /// A worker is killed and started again.
    KillWorker(u16),
    /// A worker is stopped where it is, and goes on at the end.
    PauseWorker(u16),
    /// A worker's clock jumps, by so many milliseconds.
    Step(u16, u64),
}

/// A fault in the schedule; times in nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Planned {
    /// From the start of its cycle.
    pub(crate) at: u64,
    pub(crate) lasts: u64,
    pub(crate) fault: Fault,
}

/// What a schedule is made for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Terms {
    pub(crate) processes: u16,
    pub(crate) nodes: u16,
    pub(crate) per_minute: u32,
}

/// The kinds of faults, as they are counted.
const KINDS: [&str; 11] = [
    "kill",
    "pause",
    "flush",
    "network",
    "add",
    "remove",
    "replace",
    "endpoint",
    "kill worker",
    "clock",
    "pause worker",
];

impl Fault {
    /// Returns its kind.
    pub(crate) fn kind(self) -> &'static str {
        let place = match self {
            Self::Kill(..) => 0,
            Self::Pause(..) => 1,
            Self::Flush(..) => 2,
            Self::Network(..) => 3,
            Self::AddNode => 4,
            Self::RemoveNode(_) => 5,
            Self::ReplaceNode(_) => 6,
            Self::HoldEndpoint | Self::StopEndpoint => 7,
            Self::KillWorker(_) => 8,
            Self::Step(..) => 9,
            Self::PauseWorker(_) => 10,
        };
        KINDS[place]
    }

    /// Returns whom it concerns.
    pub(crate) fn scope(self) -> Scope {
        match self {
            Self::Kill(scope, _) | Self::Pause(scope, _) | Self::Flush(scope, _) => scope,
            Self::Network(..) => Scope::Named,
            Self::AddNode | Self::RemoveNode(_) | Self::ReplaceNode(_) | Self::HoldEndpoint | Self::StopEndpoint => {
                Scope::Cluster
            }
            Self::KillWorker(worker) | Self::PauseWorker(worker) | Self::Step(worker, _) => Scope::Process(worker),
        }
    }

    /// Returns whether what was sent before is carried out at its end.
    pub(crate) fn hangs(self) -> bool {
        let weather = |weather| matches!(weather, Weather::Delay(_) | Weather::Blackhole | Weather::BlackholeExisting);
        matches!(self, Self::Pause(..) | Self::PauseWorker(_)) || matches!(self, Self::Network(_, how) if weather(how))
    }

    /// Returns whether it is over as soon as it has happened.
    fn is_sudden(self) -> bool {
        let others = [4, 5, 6, 8, 9].map(|place| KINDS[place]);
        matches!(self, Self::Flush(..)) || others.contains(&self.kind())
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {self:?}", self.kind())
    }
}

/// Plans a whole run, cycle by cycle.
pub(crate) fn plan(seed: u64, cycles: &[(u64, Cycle)], terms: Terms) -> Vec<Vec<Planned>> {
    let mut planner = Planner { rng: Rng::with_seed(seed), deck: Vec::new(), nodes: terms.nodes, terms };
    let mut owed = 0.0;
    let storm = |(_, cycle): &(u64, Cycle)| {
        owed += f64::from(terms.per_minute) * cycle.end as f64 / (60 * SECOND) as f64;
        let count = owed as u64;
        owed -= count as f64;
        planner.storm(cycle.storm, count)
    };
    cycles.iter().map(storm).collect()
}

struct Planner {
    rng: Rng,
    /// Kinds that are still to come before any comes again.
    deck: Vec<&'static str>,
    /// How many nodes the cluster will have.
    nodes: u16,
    terms: Terms,
}

impl Planner {
    /// Plans `count` faults, spread over a storm of that length. They end when it does.
    fn storm(&mut self, length: u64, count: u64) -> Vec<Planned> {
        if length < SECOND {
            return Vec::new();
        }
        let room = (length - 400 * MILLIS) / count.max(1);
        let fault = |number| {
            let at = 100 * MILLIS + number * room + self.rng.u64(0..=room / 2);
            let fault = self.fault();
            let left = length - at;
            let lasts = if fault.is_sudden() { 0 } else { self.rng.u64(200..4000) * MILLIS };
            Planned { at, lasts: lasts.min(left), fault }
        };
        (0..count).map(fault).collect()
    }

    fn draw(&mut self) -> &'static str {
        if self.deck.is_empty() {
            self.deck.extend(KINDS);
            self.rng.shuffle(&mut self.deck);
        }
        self.deck.pop().expect("invariant: it was filled")
    }

    fn fault(&mut self) -> Fault {
        let node = self.rng.u64(0..1000);
        let fleet = if self.rng.bool() { Scope::Named } else { Scope::Cluster };
        // The others live through the whole run, so that what they lose over time shows.
        let mortal = self.rng.u16(self.terms.processes / 2..self.terms.processes);
        match self.draw() {
            "kill" => Fault::Kill(fleet, node),
            "pause" => Fault::Pause(fleet, node),
            "flush" => Fault::Flush(fleet, node),
            "network" => Fault::Network(node, self.weather()),
            // A cluster keeps about its size.
            "add" | "remove" if self.nodes <= self.terms.nodes => {
                self.nodes += 1;
                Fault::AddNode
            }
            "add" | "remove" => {
                self.nodes -= 1;
                Fault::RemoveNode(node)
            }
            "replace" => Fault::ReplaceNode(node),
            "endpoint" if self.rng.bool() => Fault::HoldEndpoint,
            "endpoint" => Fault::StopEndpoint,
            "kill worker" => Fault::KillWorker(mortal),
            "pause worker" => Fault::PauseWorker(self.rng.u16(..self.terms.processes)),
            _ => Fault::Step(self.rng.u16(..self.terms.processes), 10_u64.pow(self.rng.u32(2..5)) * self.rng.u64(1..7)),
        }
    }

    fn weather(&mut self) -> Weather {
        let bytes = self.rng.u64(0..2000);
        match self.rng.u8(0..8) {
            0 => Weather::Delay(self.rng.u64(50..700)),
            1 => Weather::CutReplies(bytes),
            2 => Weather::CutRequests(bytes),
            3 => Weather::LoseReplies(bytes),
            4 => Weather::Blackhole,
            5 => Weather::BlackholeExisting,
            6 => Weather::Reset,
            _ => Weather::Refuse,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    const TERMS: Terms = Terms { processes: 8, nodes: 3, per_minute: 10 };

    fn hour() -> Vec<(u64, Cycle)> {
        Cycle::all(3600 * SECOND, 60 * SECOND)
    }

    #[test]
    fn the_same_seed_makes_the_same_schedule_and_another_seed_another() {
        assert_eq!(plan(7, &hour(), TERMS), plan(7, &hour(), TERMS));
        assert_ne!(plan(7, &hour(), TERMS), plan(8, &hour(), TERMS));
    }

    #[test]
    fn an_hour_has_six_hundred_faults_of_every_kind_within_its_storms() {
        let (cycles, plan) = (hour(), plan(1, &hour(), TERMS));
        let all: Vec<Planned> = plan.iter().flatten().copied().collect();
        assert_eq!(all.len(), 600);
        let kinds: HashSet<_> = all.iter().map(|planned| planned.fault.kind()).collect();
        assert_eq!(kinds.len(), KINDS.len());
        for (faults, (_, cycle)) in plan.iter().zip(cycles) {
            assert!(faults.iter().all(|planned| planned.at + planned.lasts <= cycle.storm));
            assert!(faults.windows(2).all(|pair| pair[0].at < pair[1].at));
        }
    }

    #[test]
    fn half_of_the_workers_live_on() {
        let mortal = |planned: &Planned| match planned.fault {
            Fault::KillWorker(worker) => Some(worker),
            _ => None,
        };
        let killed: HashSet<u16> = plan(3, &hour(), TERMS).iter().flatten().filter_map(mortal).collect();
        assert_eq!(killed, HashSet::from([4, 5, 6, 7]));
    }
}
