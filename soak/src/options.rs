//! The command line.

use std::path::PathBuf;
use std::time::Duration;

use clap::Parser;

use super::words::Sabotage;

/// Runs cached functions in many processes over memcached servers that fail, and checks what chorde promises all the while.
#[derive(Clone, Debug, Parser)]
#[command(name = "soak")]
pub(crate) struct Options {
    /// How long to go on: 90s, 10m, 1h
    #[arg(long = "for", value_name = "TIME", value_parser = duration, default_value = "60s")]
    pub(crate) time: Duration,

    /// How many worker processes
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u16).range(1..=64))]
    pub(crate) processes: u16,

    /// How many memcached nodes each of the two fleets begins with
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u16).range(1..=20))]
    pub(crate) nodes: u16,

    /// How many keys of each function
    #[arg(long, default_value_t = 200, value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) keys: u64,

    /// How many faults in a minute, on average
    #[arg(long, default_value_t = 10)]
    pub(crate) faults_per_minute: u32,

    /// How long a storm, the recovery, the calm and the rest take together
    #[arg(long, value_name = "TIME", value_parser = duration, default_value = "60s")]
    pub(crate) cycle: Duration,

    /// How long a caller rests between two calls
    #[arg(long, value_name = "TIME", value_parser = duration, default_value = "10ms")]
    pub(crate) pace: Duration,

    /// What the schedule of faults follows from; by chance unless given
    #[arg(long)]
    pub(crate) seed: Option<u64>,

    /// The file that faults and violations are written to; in the system's folder for such unless given
    #[arg(long, value_name = "FILE")]
    pub(crate) log: Option<PathBuf>,

    /// Breaks something on purpose, so that the checks can be seen to fail
    #[arg(long, hide = true, value_enum)]
    pub(crate) sabotage: Option<Sabotage>,
}

/// Reads `90s`, `1.5m`, `2h`, `10ms`.
fn duration(text: &str) -> Result<Duration, String> {
    let digits = text.trim_end_matches(char::is_alphabetic);
    let unit = match &text[digits.len()..] {
        "ms" => 0.001,
        "s" | "" => 1.0,
        "m" => 60.0,
        "h" => 3600.0,
        _ => return Err("write it as 90s, 10m or 1h".to_owned()),
    };
    let number: f64 = digits.parse().map_err(|_| "write it as 90s, 10m or 1h".to_owned())?;
    Duration::try_from_secs_f64(number * unit).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_with_their_units() {
        let read = |text| duration(text).ok().map(|duration| duration.as_millis());
        assert_eq!([read("90s"), read("1.5m"), read("2h"), read("10ms")], [90_000, 90_000, 7_200_000, 10].map(Some));
        assert_eq!([read("1d"), read("s"), read("-1s"), read("")], [None; 4]);
    }
}
