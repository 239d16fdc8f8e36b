//! One connection and all who use it: each gets the answer to its own question or a failure, and nobody waits for ever.

use std::sync::Arc;
use std::time::Duration;

use chorde_core::{Clock, ManualClock};
use shuttle::future::block_on;
use shuttle::rand::{Rng, thread_rng};
use shuttle::thread;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};

use crate::command::{Command, Failure, Reply};
use crate::explore::{Scene, explore};
use crate::node::mux::{Limits, Mux};

const CALLERS: u8 = 3;
const QUESTIONS: u8 = 3;
const DEADLINE: Duration = Duration::from_secs(1);
const LIMITS: Limits = Limits { waiting: 3, queued: 1 << 10, data: 1 << 10, dial: DEADLINE };

#[derive(Clone, Copy, Debug, PartialEq)]
enum Trouble {
    None,
    /// The server closes the connection at some time.
    Closes,
    /// Time runs out now and then.
    Late,
}

pub(crate) fn scenes() -> Vec<Scene> {
    let scene = |trouble| Scene::new(format!("mux: {trouble:?}"), move || explore(move || play(trouble)));
    vec![scene(Trouble::None), scene(Trouble::Closes), scene(Trouble::Late)]
}

fn play(trouble: Trouble) {
    let clock = ManualClock::new();
    let (ours, theirs) = tokio::io::duplex(64);
    let connect = async move {
        shuttle::future::yield_now().await;
        Ok(ours)
    };
    let (mux, task) = Mux::new(connect, LIMITS, Clock::from(clock.clone()));
    let task = shuttle::future::spawn(task);
    let closes_after = if trouble == Trouble::Closes { thread_rng().gen_range(0..6) } else { usize::MAX };
    let server = shuttle::future::spawn(serve(theirs, closes_after));
    let caller = |caller| {
        let mux = Arc::clone(&mux);
        thread::spawn(move || (0..QUESTIONS).for_each(|question| ask(&mux, [caller, question], trouble)))
    };
    let callers: Vec<_> = (0..CALLERS).map(caller).collect();
    if trouble == Trouble::Late {
        clock.advance(DEADLINE);
        thread::yield_now();
        clock.advance(DEADLINE);
    }
    for caller in callers {
        caller.join().unwrap();
    }
    if trouble == Trouble::None {
        no_place_is_lost(&mux);
    }
    drop(mux);
    block_on(task).unwrap();
    block_on(server).unwrap();
}

/// Asks for a key whose value tells its own name; goes away before the answer now and then.
fn ask(mux: &Mux, [caller, question]: [u8; 2], trouble: Trouble) {
    let names = [0, 1].map(|part| [b'a' + caller, b'0' + question, b'x' + part]);
    let commands = names.each_ref().map(|key| Command::Get { key });
    let count = thread_rng().gen_range(1..=commands.len());
    let pending = match mux.ask(&commands[..count], DEADLINE) {
        Ok(pending) => pending,
        Err(Failure::Overloaded) => return,
        Err(failure) => return assert_ne!(trouble, Trouble::None, "{failure:?}"),
    };
    if thread_rng().gen_ratio(1, 4) {
        thread::yield_now();
        return drop(pending);
    }
    match block_on(pending).expect("the task answers all, or fails them") {
        Ok(replies) => {
            assert_eq!(replies.len(), count, "an answer for each command");
            for (name, reply) in names.iter().zip(replies) {
                let Reply::Item(item) = reply else { panic!("{reply:?}") };
                assert_eq!(&item.data[..], name, "the answer to another question");
            }
        }
        Err(failure) => assert_ne!(trouble, Trouble::None, "{failure:?}"),
    }
}

/// As many commands as may wait are taken on and answered, once nobody waits any more.
fn no_place_is_lost(mux: &Mux) {
    let commands = [(); LIMITS.waiting].map(|()| Command::Get { key: b"all" });
    for _ in 0..1000 {
        match mux.ask(&commands, DEADLINE) {
            Ok(pending) => return assert_eq!(block_on(pending).unwrap().unwrap().len(), LIMITS.waiting),
            // What was dropped has its place until its answer has come.
            Err(Failure::Overloaded) => thread::yield_now(),
            Err(failure) => panic!("{failure:?}"),
        }
    }
    panic!("a place is lost");
}

/// Answers each question with its key, as a server would.
async fn serve(mut stream: DuplexStream, mut closes_after: usize) {
    let mut input = Vec::new();
    loop {
        while let Some(end) = input.iter().position(|&byte| byte == b'\n') {
            let line: Vec<u8> = input.drain(..=end).collect();
            if closes_after == 0 {
                return;
            }
            closes_after -= 1;
            if stream.write_all(&answer(&line)).await.is_err() {
                return;
            }
        }
        shuttle::future::yield_now().await;
        match stream.read_buf(&mut input).await {
            Ok(0) | Err(_) => return,
            Ok(_) => {}
        }
    }
}

fn answer(line: &[u8]) -> Vec<u8> {
    let line = std::str::from_utf8(line).unwrap().trim_end();
    let mut words = line.split(' ');
    let (command, key) = (words.next().unwrap(), words.next().unwrap());
    assert_eq!(command, "mg", "{line}");
    let opaque = words.find(|word| word.starts_with('O')).unwrap();
    format!("VA {} f0 c1 t100 {opaque}\r\n{key}\r\n", key.len()).into_bytes()
}
