//! A small web service whose handler awaits a cached function, with the state of all cached functions under `/stats`.
//!
//! `cargo run --release --example axum_api -- [--once] [PORT]`
//!
//! With `--once` it asks itself, prints the answers, and ends.

mod ask;

use std::sync::LazyLock;
use std::time::Duration;

use axum::extract::Path;
use axum::http::StatusCode;
use axum::routing::get;
use axum::{Json, Router};
use chorde::InprocClient;
use chorde::prelude::*;
use serde_json::{Value, json};
use tokio::net::TcpListener;

static CACHE: LazyLock<InprocClient> = LazyLock::new(|| InprocClient::new(10_000));

/// Asks a slow service. Refreshed behind the callers' backs once a minute; an error is never stored.
#[cached(client = CACHE, ttl = "5m", async_ttl = "-1m")]
async fn forecast(city: String) -> Result<String, String> {
    tokio::time::sleep(Duration::from_millis(300)).await;
    if city == "atlantis" {
        Err(format!("{city} is under water"))
    } else {
        Ok(format!("{} °C, light wind", 12 + city.len()))
    }
}

async fn show_forecast(Path(city): Path<String>) -> (StatusCode, String) {
    match forecast(city).await {
        Ok(text) => (StatusCode::OK, text),
        Err(problem) => (StatusCode::NOT_FOUND, problem),
    }
}

async fn show_stats() -> Json<Value> {
    let all = chorde::functions().into_iter().map(|function| {
        json!({
            "name": function.name,
            "ttl_seconds": function.ttl.map(|ttl| ttl.as_secs()),
            "hits": function.stats.hits,
            "misses": function.stats.misses,
            "coalesced": function.stats.coalesced,
            "computes": function.stats.computes,
            "errors": function.stats.compute_errors,
            "hit_ratio": function.stats.hit_ratio(),
            "in_flight": function.in_flight,
        })
    });
    Json(all.collect())
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let port = args.iter().find_map(|arg| arg.parse::<u16>().ok()).unwrap_or(0);
    let listener = TcpListener::bind(("127.0.0.1", port)).await?;
    let address = listener.local_addr()?;
    println!("listening: try http://{address}/forecast/oslo and http://{address}/stats");

    let app = Router::new().route("/forecast/{city}", get(show_forecast)).route("/stats", get(show_stats));
    let server = axum::serve(listener, app);
    if args.iter().any(|arg| arg == "--once") {
        tokio::select! {
            ended = server => ended?,
            asked = ask::ask(address) => asked?,
        }
    } else {
        server.await?;
    }
    Ok(())
}
