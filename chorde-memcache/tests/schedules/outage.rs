//! A server that goes away and comes back, another one that stands in for it, and callers who go by both as the cluster does:
//! nobody reads what was written over, and all is made up for in the end.

use std::sync::Arc;
use std::time::Duration;

use chorde_core::{Clock, ManualClock};
use shuttle::future::block_on;
use shuttle::rand::{Rng, thread_rng};
use shuttle::thread;

use crate::command::{Command, How, Life, Reply};
use crate::explore::{Scene, explore};
use crate::node::{Lane, Node};

/// More than the longest pause of a prober.
const LONG: Duration = Duration::from_secs(60);
const CALLERS: u8 = 2;
const OPERATIONS: u8 = 4;

pub(crate) fn scenes() -> Vec<Scene> {
    vec![
        Scene::new("outage: nobody reads what was written over", || explore(|| play(false))),
        Scene::new("outage: a server that is to be emptied", || explore(|| play(true))),
    ]
}

struct World {
    /// The keys' own server, and the one that stands in for it.
    nodes: [Arc<Node>; 2],
    clock: ManualClock,
    is_over: shuttle::sync::atomic::AtomicBool,
}

fn play(empties: bool) {
    let clock = ManualClock::new();
    let node = |name| Node::new(name, &Clock::from(clock.clone()));
    let world = Arc::new(World { nodes: [node("own"), node("other")], clock: clock.clone(), is_over: false.into() });
    let mut threads = Vec::new();
    for caller in 0..CALLERS {
        let world = Arc::clone(&world);
        threads.push(thread::spawn(move || world.call(caller)));
    }
    let trouble = Arc::clone(&world);
    threads.push(thread::spawn(move || trouble.trouble(empties)));
    let timed = Arc::clone(&world);
    let time = thread::spawn(move || timed.run_time());
    for thread in threads {
        thread.join().unwrap();
    }
    world.settle();
    world.is_over.store(true, std::sync::atomic::Ordering::SeqCst);
    time.join().unwrap();
}

impl World {
    /// One caller's work on a key of its own, whose value it therefore knows.
    fn call(&self, key: u8) {
        let mut known = None;
        for value in 1..=OPERATIONS {
            self.change_and_read(key, value, &mut known);
        }
        let read = self.read(key);
        assert!(read.is_none() || read == known, "key {key}: {read:?} is read, {known:?} was written");
    }

    fn change_and_read(&self, key: u8, value: u8, known: &mut Option<u8>) {
        let name = [b'k', key];
        let removes = thread_rng().gen_ratio(1, 4);
        let command = if removes {
            Command::Delete { key: &name, cas: None }
        } else {
            let data = vec![value].into();
            Command::Store { key: &name, data, flags: 0, life: Life(60), how: How::Set }
        };
        let before = *known;
        let written = (!removes).then_some(value);
        if self.ask(&name, &command).is_some() {
            *known = written;
            let read = self.read(key);
            assert!(read.is_none() || read == *known, "key {key}: {read:?} is read, {known:?} was written");
        } else {
            // It failed, and may have been carried out all the same: the caller writes anew until that is clear.
            let read = self.read(key);
            assert!(read.is_none() || read == before || read == written, "key {key}: {read:?} was never so");
            while self.ask(&name, &Command::Delete { key: &name, cas: None }).is_none() {
                thread::yield_now();
            }
            *known = None;
        }
    }

    fn read(&self, key: u8) -> Option<u8> {
        let name = [b'k', key];
        match self.ask(&name, &Command::Get { key: &name })? {
            Reply::Item(item) => Some(item.data[0]),
            _ => None,
        }
    }

    /// Asks as the cluster does: the first server in use that has missed nothing of the key; those before it miss the change,
    /// from before it is asked for up to after that.
    fn ask(&self, key: &[u8], command: &Command<'_>) -> Option<Reply> {
        let at = self.nodes.iter().position(|node| node.serves(key))?;
        let (away, node) = (&self.nodes[..at], &self.nodes[at]);
        let commands = [command.clone()];
        let miss = || away.iter().for_each(|missing| missing.owe(&commands, Some(node)));
        miss();
        let answer = block_on(node.ask(&commands, Lane::Quick, 0));
        miss();
        answer.ok()?.pop()
    }

    /// Turns the own server off and on, once or twice.
    fn trouble(&self, empties: bool) {
        let server = &self.nodes[0].server;
        for _ in 0..2 {
            server.is_off.store(true, std::sync::atomic::Ordering::SeqCst);
            thread::yield_now();
            if empties {
                self.nodes[0].owe_all();
            }
            thread::yield_now();
            server.is_off.store(false, std::sync::atomic::Ordering::SeqCst);
            thread::yield_now();
        }
    }

    fn run_time(&self) {
        while !self.is_over.load(std::sync::atomic::Ordering::SeqCst) {
            self.clock.advance(LONG);
            thread::yield_now();
        }
    }

    /// Waits until all is made up for.
    fn settle(&self) {
        while self.nodes.iter().any(|node| !node.is_in_use() || !node.owes_nothing()) {
            thread::yield_now();
        }
        assert!(self.nodes.iter().all(|node| node.agrees_with_itself()), "the breaker says something else");
    }
}
