//! The text of a configuration: a version on the first line, the nodes on the second.

use std::collections::HashSet;
use std::net::IpAddr;

use super::answer::{Malformed, Quoted, number};
use super::{Config, Node};

/// The longest list. ElastiCache's own limit is far below.
const MOST_NODES: usize = 1000;

/// Reads all of a text.
pub(super) fn config(text: &[u8]) -> Result<Config, Malformed> {
    let Ok(text) = str::from_utf8(text) else {
        return Err(Malformed::new("the text of the configuration is not UTF-8"));
    };
    let mut lines = text.lines();
    let version = version(lines.next().unwrap_or_default())?;
    let nodes = nodes(lines.next().unwrap_or_default())?;
    match lines.find(|line| !line.is_empty()) {
        None => Ok(Config { version, nodes }),
        Some(line) => Err(wrong("a line too many", line)),
    }
}

fn version(line: &str) -> Result<u64, Malformed> {
    number(line.as_bytes()).ok_or_else(|| wrong("not a version", line))
}

/// Reads the list, in which each node but the last is followed by one space.
fn nodes(line: &str) -> Result<Vec<Node>, Malformed> {
    if line.is_empty() {
        return Err(Malformed::new("no node is listed"));
    }
    if line.split(' ').count() > MOST_NODES {
        return Err(Malformed::new(format!("more than {MOST_NODES} nodes are listed")));
    }
    let nodes = line.split(' ').map(node).collect::<Result<Vec<_>, _>>()?;
    let mut seen = HashSet::new();
    match nodes.iter().find(|node| !seen.insert((node.host.as_str(), node.port))) {
        None => Ok(nodes),
        Some(node) => Err(wrong("listed twice", &format!("{}|{}", node.host, node.port))),
    }
}

/// Reads `host|ip|port`, where the address may be missing.
fn node(listed: &str) -> Result<Node, Malformed> {
    let parts = listed.rsplit_once('|').and_then(|(rest, port)| Some((rest.split_once('|')?, port)));
    let Some(((host, ip), port)) = parts else { return Err(wrong("not host|ip|port", listed)) };
    Ok(Node { host: host_of(host)?, ip: ip_of(ip)?, port: port_of(port)? })
}

fn port_of(text: &str) -> Result<u16, Malformed> {
    let port = number(text.as_bytes()).and_then(|port| u16::try_from(port).ok());
    port.filter(|&port| port > 0).ok_or_else(|| wrong("not a port", text))
}

/// Reads an address that can be connected to. The unspecified one would lead to this machine.
fn ip_of(text: &str) -> Result<Option<IpAddr>, Malformed> {
    if text.is_empty() {
        return Ok(None);
    }
    match text.parse::<IpAddr>() {
        Ok(ip) if !ip.is_unspecified() => Ok(Some(ip)),
        _ => Err(wrong("not an address", text)),
    }
}

/// Reads an address, or a host name as RFC 1123 has it, with underscores, which container networks use.
fn host_of(text: &str) -> Result<String, Malformed> {
    if let Ok(Some(ip)) = ip_of(text) {
        return Ok(ip.to_string());
    }
    let name = text.strip_suffix('.').unwrap_or(text);
    let ordinary = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.bytes().all(ordinary)
    };
    let last = name.rsplit('.').next().unwrap_or_default();
    let is_name = name.len() <= 253 && name.split('.').all(label) && !last.bytes().all(|byte| byte.is_ascii_digit());
    if is_name { Ok(name.to_ascii_lowercase()) } else { Err(wrong("not a host", text)) }
}

fn wrong(what: &str, text: &str) -> Malformed {
    Malformed::new(format!("{what}: {}", Quoted(text.as_bytes())))
}
