//! Four processes, one memcached, one key: computed once in all, then refreshed once per period in all, however many ask.
//!
//! `cargo run --release --features memcache --example fleet -- [SECONDS]` starts memcached and four processes of itself.

mod member;

use std::collections::BTreeMap;
use std::error::Error;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;

use chorde::memcache::testing::MemcachedServer;

/// How many processes there are.
const PROCESSES: usize = 4;

/// Ends a process that is not needed any more.
struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended by itself, which is just as well.
        _ = self.0.kill();
        _ = self.0.wait();
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["member", server, seconds] => member::run(server, seconds.parse()?),
        [] => lead(10),
        [seconds] => lead(seconds.parse().map_err(|_| "usage: fleet [SECONDS]")?),
        _ => Err("usage: fleet [SECONDS]".into()),
    }
}

/// Starts the processes, lets them go at once, and adds up what they computed.
fn lead(seconds: u64) -> Result<(), Box<dyn Error>> {
    let server = MemcachedServer::start()?;
    println!(
        "memcached at {}, {PROCESSES} processes, {} tasks in each, for {seconds} s",
        server.address(),
        member::TASKS
    );
    println!("one key: 300 ms to compute, refreshed when {} s old\n", member::PERIOD);
    let (sender, computed) = mpsc::channel();
    let mut processes = Vec::new();
    for number in 0..PROCESSES {
        let mut child = Command::new(std::env::current_exe()?)
            .args(["member", &server.address(), &seconds.to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let (output, sender) = (child.stdout.take().ok_or("no output")?, sender.clone());
        std::thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                _ = sender.send((number, line));
            }
        });
        processes.push(Process(child));
    }
    drop(sender);
    let told = watch(&mut processes, &computed)?;
    report(&told, seconds)
}

/// What the processes said: in which second they computed, and how many calls they answered.
#[derive(Default)]
struct Told {
    /// Computations of each process in each second.
    computed: BTreeMap<u64, [u64; PROCESSES]>,
    calls: [u64; PROCESSES],
}

fn watch(processes: &mut [Process], lines: &mpsc::Receiver<(usize, String)>) -> Result<Told, Box<dyn Error>> {
    let (mut told, mut ready) = (Told::default(), 0);
    for (number, line) in lines {
        match line.split_whitespace().collect::<Vec<_>>()[..] {
            ["ready"] => {
                ready += 1;
                if ready == PROCESSES {
                    for process in &mut *processes {
                        process.0.stdin.take().ok_or("no input")?.write_all(b"go\n")?;
                    }
                }
            }
            ["computed", second] => told.computed.entry(second.parse()?).or_default()[number] += 1,
            ["calls", calls] => told.calls[number] = calls.parse()?,
            _ => println!("process {}: {line}", number + 1),
        }
    }
    Ok(told)
}

fn report(told: &Told, seconds: u64) -> Result<(), Box<dyn Error>> {
    println!("second   computations of process 1  2  3  4");
    let mut totals = [0; PROCESSES];
    for (second, computed) in &told.computed {
        println!(
            "{second:>6}   {:>26}{}",
            computed[0],
            computed[1..].iter().map(|n| format!("{n:>3}")).collect::<String>()
        );
        for (total, more) in totals.iter_mut().zip(computed) {
            *total += more;
        }
    }
    let (first, all) =
        (told.computed.values().next().map_or(0, |first| first.iter().sum()), totals.iter().sum::<u64>());
    println!("\ncalls answered: {}", told.calls.iter().sum::<u64>());
    println!("computations: {all} in all: {first} for the cold key, {} refreshes in {seconds} s", all - first);
    println!(
        "per period of {} s: {:.2}",
        member::PERIOD,
        (all - first) as f64 * member::PERIOD as f64 / seconds as f64
    );
    Ok(())
}
