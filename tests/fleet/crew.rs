//! The processes of the fleet, as the test has them in hand.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use chorde::memcache::testing::MemcachedServer;

use super::member;

/// How long anything may take before it counts as hanging; never waited for by a test that succeeds.
const PATIENCE: Duration = Duration::from_secs(60);

/// A computation that has begun.
#[derive(Clone, Debug)]
pub(crate) struct Begun {
    pub(crate) member: usize,
    pub(crate) name: String,
    id: u64,
    /// The time since 1970.
    pub(crate) at: Duration,
}

/// What a member saw that called a function for some time.
#[derive(Clone, Debug)]
pub(crate) struct Loaded {
    pub(crate) calls: u64,
    pub(crate) longest: Duration,
    pub(crate) values: Vec<String>,
}

/// What the members have told so far.
#[derive(Debug, Default)]
struct Told {
    lines: Mutex<Vec<(usize, String)>>,
    more: Condvar,
}

impl Told {
    /// Waits for what `find` finds in all that was told.
    #[track_caller]
    fn wait<T>(&self, what: &str, mut find: impl FnMut(&[(usize, String)]) -> Option<T>) -> T {
        let mut found = None;
        let lines = self.lines.lock().unwrap();
        let waited = self.more.wait_timeout_while(lines, PATIENCE, |lines| {
            found = find(lines);
            found.is_none()
        });
        let lines = waited.unwrap().0;
        found.unwrap_or_else(|| panic!("never: {what}; so far: {lines:#?}"))
    }
}

/// A process, killed when dropped.
struct Member {
    child: Child,
    input: TcpStream,
}

impl Drop for Member {
    fn drop(&mut self) {
        // It may have been killed before.
        _ = self.child.kill();
        _ = self.child.wait();
    }
}

/// Processes over one memcached.
pub(crate) struct Crew {
    pub(crate) server: MemcachedServer,
    members: Vec<Member>,
    told: Arc<Told>,
    asked: AtomicU64,
}

/// What a member was told to do.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Asked(u64);

impl Crew {
    /// Starts processes of this test's own binary, and waits until all are there.
    pub(crate) fn start(count: usize) -> Self {
        let (server, listener) = (MemcachedServer::start().unwrap(), TcpListener::bind("127.0.0.1:0").unwrap());
        let told = Arc::new(Told::default());
        let members = (0..count).map(|number| {
            let mut command = Command::new(std::env::current_exe().unwrap());
            command
                .args(["--exact", "a_process_of_the_fleet", "--nocapture"])
                .stdin(Stdio::null())
                .stdout(Stdio::null());
            command.env(member::SERVER, server.address());
            command.env(member::TEST, listener.local_addr().unwrap().to_string());
            let child = command.spawn().unwrap();
            let input = listener.accept().unwrap().0;
            let (output, told) = (input.try_clone().unwrap(), Arc::clone(&told));
            std::thread::spawn(move || {
                for line in BufReader::new(output).lines().map_while(Result::ok) {
                    told.lines.lock().unwrap().push((number, line));
                    told.more.notify_all();
                }
            });
            Member { child, input }
        });
        let members = members.collect();
        told.wait("all are there", |lines| {
            (lines.iter().filter(|(_, line)| line.starts_with("ready")).count() == count).then_some(())
        });
        Self { server, members, told, asked: AtomicU64::default() }
    }

    fn ask(&self, member: usize, command: &str) -> Asked {
        let number = self.asked.fetch_add(1, Ordering::Relaxed);
        (&self.members[member].input).write_all(format!("{number} {command}\n").as_bytes()).unwrap();
        Asked(number)
    }

    /// Has a member call a function in `tasks` tasks, each once.
    pub(crate) fn call(&self, member: usize, function: (&str, u64, u64), tasks: u64) -> Asked {
        self.load(member, function, tasks, Duration::ZERO)
    }

    /// Has a member call a function (its name, the key, the milliseconds that it takes) in `tasks` tasks for some time.
    pub(crate) fn load(&self, member: usize, function: (&str, u64, u64), tasks: u64, time: Duration) -> Asked {
        let (name, id, millis) = function;
        self.ask(member, &format!("load {name} {id} {millis} {tasks} {}", time.as_millis()))
    }

    pub(crate) fn invalidate(&self, member: usize, (name, id, millis): (&str, u64, u64)) {
        self.done(self.ask(member, &format!("invalidate {name} {id} {millis}")));
    }

    pub(crate) fn clear(&self, member: usize, name: &str) {
        self.done(self.ask(member, &format!("clear {name}")));
    }

    #[track_caller]
    fn done(&self, asked: Asked) -> String {
        let start = format!("done {} ", asked.0);
        self.told.wait(&start, |lines| lines.iter().find_map(|(_, line)| line.strip_prefix(&start)).map(str::to_owned))
    }

    /// Waits for the end of calls, and returns what they saw.
    #[track_caller]
    pub(crate) fn loaded(&self, asked: Asked) -> Loaded {
        let answer = self.done(asked);
        let [calls, longest, values] = answer.split(' ').collect::<Vec<_>>()[..] else { panic!("{answer}") };
        Loaded {
            calls: calls.parse().unwrap(),
            longest: Duration::from_micros(longest.parse().unwrap()),
            values: values.split(',').map(str::to_owned).collect(),
        }
    }

    /// Waits for the end of calls that must all have seen the same value, and returns that.
    #[track_caller]
    pub(crate) fn one_value(&self, asked: &[Asked]) -> String {
        let mut values: Vec<String> = asked.iter().flat_map(|asked| self.loaded(*asked).values).collect();
        values.sort();
        values.dedup();
        assert_eq!(values.len(), 1, "{values:?}");
        values.remove(0)
    }

    /// Returns the computations of a function for a key that have begun.
    pub(crate) fn begun(&self, name: &str, id: u64) -> Vec<Begun> {
        begun(&self.told.lines.lock().unwrap(), name, id)
    }

    /// Waits until so many computations of a function for a key have begun; returns the last of them.
    #[track_caller]
    pub(crate) fn await_begun(&self, (name, id, _): (&str, u64, u64), count: usize) -> Begun {
        self.told.wait(name, |lines| begun(lines, name, id).get(count - 1).cloned())
    }

    /// Kills a member (SIGKILL); returns when.
    pub(crate) fn kill(&mut self, member: usize) -> Duration {
        let at = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        self.members[member].child.kill().unwrap();
        self.members[member].child.wait().unwrap();
        at
    }
}

fn begun(lines: &[(usize, String)], name: &str, id: u64) -> Vec<Begun> {
    let begun = lines.iter().filter_map(|(member, line)| {
        let [name, id, at] = line.strip_prefix("begun ")?.split(' ').collect::<Vec<_>>()[..] else { return None };
        let at = Duration::from_micros(at.parse().ok()?);
        Some(Begun { member: *member, name: name.to_owned(), id: id.parse().ok()?, at })
    });
    let mut begun: Vec<_> = begun.filter(|begun| begun.name == name && begun.id == id).collect();
    begun.sort_by_key(|begun| begun.at);
    begun
}
