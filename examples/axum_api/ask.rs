//! Asks the service, as a browser would.

use std::io::Result;
use std::net::SocketAddr;
use std::time::Instant;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Prints what the service answers: to the first who asks, to five at once, to one who errs.
pub(crate) async fn ask(address: SocketAddr) -> Result<()> {
    show(address, "/forecast/oslo").await?;
    show(address, "/forecast/oslo").await?;
    println!("five at once:");
    let rome = || show(address, "/forecast/rome");
    tokio::try_join!(rome(), rome(), rome(), rome(), rome())?;
    println!("an error is never stored:");
    show(address, "/forecast/atlantis").await?;
    show(address, "/forecast/atlantis").await?;
    show(address, "/stats").await
}

async fn show(address: SocketAddr, path: &str) -> Result<()> {
    let start = Instant::now();
    let mut stream = TcpStream::connect(address).await?;
    stream.write_all(format!("GET {path} HTTP/1.0\r\nHost: {address}\r\n\r\n").as_bytes()).await?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    let status = answer.split(' ').nth(1).unwrap_or("no answer");
    let body = answer.split_once("\r\n\r\n").map_or("", |(_, body)| body);
    println!("{status} {path:<20}{:>9}  {body}", format!("{:.1?}", start.elapsed()));
    Ok(())
}
