//! How much memory a connection holds on to, in the allocations of one thread: the server has a thread of its own.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc;
use std::thread::JoinHandle;

use bytes::Bytes;
use chorde_memcache::{__Probe as Probe, Address};
use tokio::runtime::{Builder, Runtime};

const CALLERS: usize = 10_000;
const MIB: u64 = 1 << 20;

/// A server that answers a get with as many bytes as the key says, or, where it is told to hold back, does not answer
/// before it has seen so many gets.
struct Fake {
    address: Address,
    thread: JoinHandle<()>,
    /// Tells that all gets are there that are held back.
    all_there: mpsc::Receiver<()>,
    /// Lets them be answered.
    release: mpsc::Sender<()>,
}

impl Fake {
    fn start(held: usize) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = Address::Tcp(listener.local_addr().expect("its address"));
        let (told, all_there) = mpsc::channel();
        let (release, released) = mpsc::channel();
        let thread = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().expect("a connection");
            let lines = Lines { stream: stream.try_clone().expect("a second handle"), input: Vec::new() };
            let mut replies = Vec::new();
            let mut seen = 0;
            for line in lines {
                answer(&line, &mut replies);
                seen += usize::from(line.starts_with("mg"));
                if seen == held && held > 0 {
                    told.send(()).expect("a test that listens");
                    released.recv().expect("a test that goes on");
                }
                if seen == 0 || seen >= held {
                    stream.write_all(&replies).expect("a client that listens");
                    replies.clear();
                }
            }
        });
        Self { address, thread, all_there, release }
    }
}

struct Lines {
    stream: TcpStream,
    input: Vec<u8>,
}

impl Iterator for Lines {
    type Item = String;

    fn next(&mut self) -> Option<String> {
        loop {
            if let Some(end) = self.input.iter().position(|&byte| byte == b'\n') {
                let line = self.input.drain(..=end).collect();
                return Some(String::from_utf8(line).expect("text"));
            }
            let mut chunk = [0; 4096];
            // A client that goes away resets the connection.
            let count = self.stream.read(&mut chunk).unwrap_or(0);
            self.input.extend_from_slice(&chunk[..count]);
            if count == 0 {
                return None;
            }
        }
    }
}

fn answer(line: &str, replies: &mut Vec<u8>) {
    let mut words = line.split_whitespace();
    if words.next() == Some("version") {
        return replies.extend_from_slice(b"VERSION 1.6.18\r\n");
    }
    let size: usize = words.next().and_then(|key| key.trim_start_matches("key:").parse().ok()).expect("a size");
    let opaque = words.next_back().expect("an opaque");
    replies.extend_from_slice(format!("VA {size} f0 c1 t1 {opaque}\r\n").as_bytes());
    replies.resize(replies.len() + size, b'v');
    replies.extend_from_slice(b"\r\n");
}

fn runtime() -> Runtime {
    Builder::new_current_thread().enable_io().build().expect("a runtime")
}

fn key(size: usize) -> Vec<u8> {
    format!("key:{size:060}").into_bytes()
}

async fn get(probe: &Probe, size: usize) -> Option<Bytes> {
    probe.get(&key(size)).await.expect("an answer")
}

#[test]
fn ten_thousand_waiting_callers_take_less_than_twenty_mebibytes() {
    let fake = Fake::start(CALLERS);
    let runtime = runtime();
    let memory = allocation_counter::measure(|| {
        let probe = Probe::new(runtime.handle(), fake.address.clone());
        let tasks: Vec<_> = (0..CALLERS)
            .map(|_| {
                let probe = probe.clone();
                runtime.spawn(async move { get(&probe, 100).await.unwrap().len() })
            })
            .collect();
        drop(probe);
        runtime.block_on(async {
            while let Err(error) = fake.all_there.try_recv() {
                assert_eq!(error, mpsc::TryRecvError::Empty, "the connection has ended");
                tokio::task::yield_now().await;
            }
            fake.release.send(()).unwrap();
            for task in tasks {
                assert_eq!(task.await.unwrap(), 100);
            }
        });
    });
    println!("{CALLERS} callers: {} KiB at most, tasks of the runtime included", memory.bytes_max / 1024);
    assert!(memory.bytes_max < 20 * MIB, "{} bytes", memory.bytes_max);
    drop(runtime);
    fake.thread.join().unwrap();
}

#[test]
fn an_idle_connection_takes_less_than_sixty_four_kibibytes_whatever_was_done_with_it() {
    let runtime = runtime();
    // The runtime's own queues grow in the first round.
    for round in 0..2 {
        let fake = Fake::start(0);
        let mut kept = None;
        let memory = allocation_counter::measure(|| {
            let probe = Probe::new(runtime.handle(), fake.address.clone());
            runtime.block_on(async {
                for _ in 0..3 {
                    assert_eq!(get(&probe, 4_000_000).await.unwrap().len(), 4_000_000);
                    let keys = vec![key(200); CALLERS];
                    assert_eq!(probe.get_multi(&keys).await.unwrap().len(), CALLERS);
                    assert_eq!(get(&probe, 40_000).await.unwrap().len(), 40_000);
                    assert_eq!(get(&probe, 100).await.unwrap().len(), 100);
                }
            });
            kept = Some(probe);
        });
        println!("an idle connection: {} bytes", memory.bytes_current);
        assert!(round == 0 || memory.bytes_current < 64 * 1024, "{} bytes", memory.bytes_current);
        drop(kept);
        runtime.block_on(tokio::task::yield_now());
        fake.thread.join().unwrap();
    }
}
