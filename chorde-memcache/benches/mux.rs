//! How fast one connection is: against a real memcached with one thread, over a unix socket and over loopback TCP.
//!
//! ```console
//! $ cargo bench -p chorde-memcache --features testing --bench mux -- [rounds] [words of a row's name...]
//! ```
//!
//! All rows are measured in turn, round after round; what is printed are medians. CPU is that of this process, all
//! threads, without the server's.

#![expect(clippy::unwrap_used, reason = "a measurement that cannot go on ends")]

use std::collections::BTreeMap;
use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::{Child, Command};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, LazyLock};
use std::time::{Duration, Instant};

use bytes::Bytes;
use chorde_memcache::{__Probe as Probe, Address};
use tokio::runtime::{Builder, Runtime};

/// How long a row is measured in a round.
const SPAN: Duration = Duration::from_millis(400);
const TASKS: usize = 64;
const KEYS: usize = 1000;
const BATCH: usize = 100;

fn main() {
    let mut arguments = std::env::args().skip(1).filter(|argument| argument != "--bench");
    let rounds = arguments.next().and_then(|rounds| rounds.parse().ok()).unwrap_or(5);
    let words: Vec<String> = arguments.collect();
    let servers = [Server::on_unix(), Server::on_tcp()];
    let mut results: BTreeMap<(usize, String), Vec<Row>> = BTreeMap::new();
    for _ in 0..rounds {
        for server in &servers {
            for (index, (name, measure)) in ROWS.iter().enumerate() {
                let name = format!("{name}, {}", server.kind);
                if words.iter().all(|word| name.contains(word)) {
                    results.entry((index, name)).or_default().push(measure(&server.address));
                }
            }
        }
    }
    println!("{:58} {:>12} {:>10} {:>10}", "", "per second", "median µs", "CPU µs");
    for ((_, name), rows) in results {
        let median = |of: fn(&Row) -> f64| {
            let mut values: Vec<f64> = rows.iter().map(of).collect();
            values.sort_by(f64::total_cmp);
            values[values.len() / 2]
        };
        let (rate, p50, cpu) = (median(|row| row.rate), median(|row| row.p50), median(|row| row.cpu));
        println!("{name:58} {rate:12.0} {p50:10.1} {cpu:10.2}");
    }
}

/// What was measured: operations in a second, the median time of one in microseconds, CPU for one in microseconds.
struct Row {
    rate: f64,
    p50: f64,
    cpu: f64,
}

type Measure = fn(&Address) -> Row;

const ROWS: &[(&str, Measure)] = &[
    ("64 tasks, current-thread runtime", |address| {
        let runtime = current_thread();
        many(&runtime, &Probe::new(runtime.handle(), address.clone()))
    }),
    ("64 tasks, runtime with 2 workers", |address| {
        let runtime = two_workers();
        many(&runtime, &Probe::new(runtime.handle(), address.clone()))
    }),
    ("64 tasks, connection on another thread's runtime", |address| {
        let home = Home::new();
        many(&current_thread(), &Probe::new(home.runtime.handle(), address.clone()))
    }),
    ("64 bare, pipelined, blocking", |address| bare(address, 64, Bare::read_all)),
    ("1 in flight, current-thread runtime", |address| {
        let runtime = current_thread();
        one(&runtime, &Probe::new(runtime.handle(), address.clone()))
    }),
    ("1 in flight, connection on another thread's runtime", |address| {
        let home = Home::new();
        one(&current_thread(), &Probe::new(home.runtime.handle(), address.clone()))
    }),
    ("1 in flight, bare, blocking", |address| bare(address, 1, Bare::read_all)),
    ("100 keys in one multi-get, current-thread runtime", |address| {
        let runtime = current_thread();
        multi(&runtime, &Probe::new(runtime.handle(), address.clone()))
    }),
    ("100 keys in one multi-get, bare, blocking", |address| bare(address, BATCH, Bare::read_all)),
];

fn current_thread() -> Runtime {
    Builder::new_current_thread().enable_io().build().unwrap()
}

fn two_workers() -> Runtime {
    Builder::new_multi_thread().worker_threads(2).enable_io().build().unwrap()
}

/// A runtime that is driven by a thread of its own.
struct Home {
    runtime: Arc<Runtime>,
    thread: Option<std::thread::JoinHandle<()>>,
    end: Option<tokio::sync::oneshot::Sender<()>>,
}

impl Home {
    fn new() -> Self {
        let runtime = Arc::new(current_thread());
        let (end, ended) = tokio::sync::oneshot::channel::<()>();
        let driven = Arc::clone(&runtime);
        let thread = std::thread::spawn(move || drop(driven.block_on(ended)));
        Self { runtime, thread: Some(thread), end: Some(end) }
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        drop(self.end.take());
        self.thread.take().map(std::thread::JoinHandle::join);
    }
}

fn many(runtime: &Runtime, probe: &Probe) -> Row {
    runtime.block_on(fill(probe));
    let stop = Arc::new(AtomicBool::new(false));
    let count = Arc::new(AtomicU64::new(0));
    let (begin, cpu) = (Instant::now(), cpu());
    let tasks: Vec<_> = (0..TASKS)
        .map(|task| {
            let (probe, stop, count) = (probe.clone(), Arc::clone(&stop), Arc::clone(&count));
            runtime.spawn(async move {
                let mut done = 0;
                while !stop.load(Ordering::Relaxed) {
                    let key = key(task * 7 + done);
                    assert_eq!(probe.get(key).await.unwrap().unwrap().len(), 100);
                    done += 1;
                    if task == 0 && done.is_multiple_of(64) && begin.elapsed() > SPAN {
                        stop.store(true, Ordering::Relaxed);
                    }
                }
                count.fetch_add(done as u64, Ordering::Relaxed);
            })
        })
        .collect();
    runtime.block_on(async {
        for task in tasks {
            task.await.unwrap();
        }
    });
    row(count.load(Ordering::Relaxed), begin, cpu, &mut [])
}

fn one(runtime: &Runtime, probe: &Probe) -> Row {
    timed(runtime, probe, 1)
}

fn multi(runtime: &Runtime, probe: &Probe) -> Row {
    timed(runtime, probe, BATCH)
}

/// Measures one batch after the other, from a task: what `block_on` itself runs is woken in a dearer way.
fn timed(runtime: &Runtime, probe: &Probe, batch: usize) -> Row {
    runtime.block_on(fill(probe));
    let probe = probe.clone();
    let task = runtime.spawn(async move {
        let mut times = Vec::new();
        let (begin, cpu) = (Instant::now(), cpu());
        while begin.elapsed() < SPAN {
            let start = Instant::now();
            if batch == 1 {
                assert_eq!(probe.get(key(times.len())).await.unwrap().unwrap().len(), 100);
            } else {
                let keys: Vec<&Vec<u8>> = (0..batch).map(|place| key(times.len() + place)).collect();
                let values = probe.get_multi(&keys).await.unwrap();
                assert!(values.len() == batch && values.iter().all(Option::is_some));
            }
            times.push(start.elapsed().as_nanos() as f64 / 1e3);
        }
        row(times.len() as u64, begin, cpu, &mut times)
    });
    runtime.block_on(task).unwrap()
}

async fn fill(probe: &Probe) {
    for index in 0..KEYS {
        probe.put(key(index), Bytes::from(vec![b'v'; 100])).await.unwrap();
    }
}

/// Returns a key; they are made beforehand, so that this is not what is measured.
fn key(index: usize) -> &'static Vec<u8> {
    static MADE: LazyLock<Vec<Vec<u8>>> =
        LazyLock::new(|| (0..KEYS).map(|index| format!("bench:{index:032}").into_bytes()).collect());
    &MADE[index % KEYS]
}

/// A blocking socket and nothing else.
struct Bare<S> {
    stream: S,
    input: Vec<u8>,
}

impl<S: Read + Write> Bare<S> {
    /// Sends so many gets and reads until as many items are there.
    fn read_all(&mut self, first: usize, gets: usize) {
        let mut request = Vec::new();
        for place in 0..gets {
            request.extend_from_slice(b"mg ");
            request.extend_from_slice(key(first + place));
            request.extend_from_slice(b" v f c t O1\r\n");
        }
        self.stream.write_all(&request).unwrap();
        let (mut have, mut at, mut seen) = (0, 0, 0);
        while seen < gets {
            have += self.stream.read(&mut self.input[have..]).unwrap();
            while let Some(end) = self.input[at..have].iter().position(|&byte| byte == b'\n') {
                assert!(self.input[at..].starts_with(b"VA 100 "));
                if at + end + 103 > have {
                    break;
                }
                at += end + 103;
                seen += 1;
            }
        }
    }
}

/// Either kind of socket.
trait Stream: Read + Write {}
impl<S: Read + Write> Stream for S {}

fn bare(address: &Address, gets: usize, run: fn(&mut Bare<Box<dyn Stream>>, usize, usize)) -> Row {
    let stream: Box<dyn Stream> = match address {
        Address::Tcp(address) => {
            let stream = TcpStream::connect(address).unwrap();
            stream.set_nodelay(true).unwrap();
            Box::new(stream)
        }
        Address::Unix(path) => Box::new(UnixStream::connect(path).unwrap()),
        _ => unreachable!(),
    };
    let runtime = current_thread();
    runtime.block_on(fill(&Probe::new(runtime.handle(), address.clone())));
    let mut bare = Bare { stream, input: vec![0; 1 << 20] };
    let mut times = Vec::new();
    let (begin, cpu) = (Instant::now(), cpu());
    while begin.elapsed() < SPAN {
        let start = Instant::now();
        run(&mut bare, times.len(), gets);
        times.push(start.elapsed().as_nanos() as f64 / 1e3);
    }
    let per_get = if gets == 64 { gets } else { 1 };
    row((times.len() * per_get) as u64, begin, cpu, &mut times)
}

fn row(count: u64, begin: Instant, cpu_before: f64, times: &mut [f64]) -> Row {
    let cpu = (cpu() - cpu_before) / count as f64;
    times.sort_by(f64::total_cmp);
    let p50 = times.get(times.len() / 2).copied().unwrap_or(0.0);
    Row { rate: count as f64 / begin.elapsed().as_secs_f64(), p50, cpu }
}

/// Returns the time that the threads of this process have run, in microseconds.
fn cpu() -> f64 {
    let threads = fs::read_dir("/proc/self/task").unwrap();
    let times = threads.filter_map(|thread| fs::read_to_string(thread.ok()?.path().join("schedstat")).ok());
    times.map(|time| time.split(' ').next().unwrap().parse::<f64>().unwrap()).sum::<f64>() / 1e3
}

/// A memcached that ends with this.
struct Server {
    kind: &'static str,
    address: Address,
    process: Child,
    folder: Option<PathBuf>,
}

impl Server {
    fn on_unix() -> Self {
        let folder = std::env::temp_dir().join(format!("chorde-bench-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let path = folder.join("socket");
        let process = start(&["-s", path.to_str().unwrap()]);
        while UnixStream::connect(&path).is_err() {
            std::thread::yield_now();
        }
        Self { kind: "unix", address: Address::Unix(path), process, folder: Some(folder) }
    }

    fn on_tcp() -> Self {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let address = SocketAddr::from(([127, 0, 0, 1], port));
        let process = start(&["-l", "127.0.0.1", "-p", &port.to_string()]);
        while TcpStream::connect(address).is_err() {
            std::thread::yield_now();
        }
        Self { kind: "tcp", address: Address::Tcp(address), process, folder: None }
    }
}

fn start(arguments: &[&str]) -> Child {
    let mut command = Command::new("memcached");
    command.args(["-u", "root", "-t", "1", "-U", "0", "-m", "256"]).args(arguments);
    command.spawn().expect("memcached is needed: apt-get install memcached")
}

impl Drop for Server {
    fn drop(&mut self) {
        self.process.kill().and_then(|()| self.process.wait()).unwrap();
        self.folder.take().map(fs::remove_dir_all);
    }
}
