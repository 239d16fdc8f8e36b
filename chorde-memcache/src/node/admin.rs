//! What is asked of a server as a whole: on a connection of its own, made for the one question.

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};

use super::dial::Destination;
use super::{Node, home};
use crate::command::Failure;
use crate::race::within;

/// A server's answer is no longer than this.
const LONGEST: u64 = 1 << 20;

impl Node {
    /// Empties the server.
    pub(crate) async fn flush(&self) -> Result<(), Failure> {
        match self.answer_to("flush_all\r\n", "OK").await?.as_slice() {
            [] => Ok(()),
            _ => Err(Failure::Protocol("something else than OK to flush_all".into())),
        }
    }

    /// Returns a number that the server tells among its `stats`.
    pub(crate) async fn stat(&self, name: &str) -> Result<u64, Failure> {
        let lines = self.answer_to("stats\r\n", "END").await?;
        let told = lines.iter().find_map(|line| line.strip_prefix("STAT ")?.strip_prefix(name)?.trim().parse().ok());
        told.ok_or_else(|| Failure::Protocol(format!("no {name} among the stats")))
    }

    /// Asks on our own thread, since the connection lives no longer than the question.
    async fn answer_to(&self, question: &'static str, end: &'static str) -> Result<Vec<String>, Failure> {
        let (clock, destination) = (self.clock.clone(), self.destination());
        let asked = home::Home::own()?.handle().spawn(async move { ask(&destination, question, end).await });
        match within(&clock, self.options.deadline, asked).await {
            None => Err(Failure::Timeout),
            Some(Ok(answer)) => answer,
            Some(Err(error)) => Err(Failure::Closed { unsent: false, why: error.to_string() }),
        }
    }
}

/// Reads lines up to the one that says `end`.
async fn ask(destination: &Destination, question: &str, end: &str) -> Result<Vec<String>, Failure> {
    let lost = |error: std::io::Error| Failure::Closed { unsent: false, why: error.to_string() };
    let mut stream = destination.connect().await?;
    stream.write_all(question.as_bytes()).await.map_err(lost)?;
    stream.flush().await.map_err(lost)?;
    let mut lines = BufReader::new(stream.take(LONGEST)).lines();
    let mut told = Vec::new();
    while let Some(line) = lines.next_line().await.map_err(lost)? {
        if line == end {
            return Ok(told);
        }
        if line.contains("ERROR") {
            return Err(Failure::Protocol(line));
        }
        told.push(line);
    }
    Err(Failure::Closed { unsent: false, why: "in the middle of an answer".into() })
}
