//! The same rules once more, by hand and byte by byte: slow, and without a line in common with the subject.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::Form;

/// What bytes amount to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Ruling {
    More,
    Wrong,
    Nothing,
    Unknown,
    Config(u64, Vec<Listed>),
}

/// Host, address and port.
type Listed = (String, Option<IpAddr>, u16);

pub(super) fn rule(form: Form, bytes: &[u8]) -> Ruling {
    let mut line = Vec::new();
    loop {
        if line.len() == 512 {
            return Ruling::Wrong;
        }
        match bytes.get(line.len()) {
            None => return unfinished(&line),
            Some(b'\n') => break,
            Some(byte) => line.push(*byte),
        }
    }
    let rest = &bytes[line.len() + 1..];
    match line.as_slice() {
        b"END\r" if rest.is_empty() => return Ruling::Nothing,
        b"ERROR\r" if rest.is_empty() => return Ruling::Unknown,
        _ => {}
    }
    let Some(length) = announced(form, &mut line) else { return Ruling::Wrong };
    if rest.len() < length {
        return Ruling::More;
    }
    ended(&rest[..length], &rest[length..])
}

/// A line that has no end yet may go on if only its last byte could begin the end.
fn unfinished(line: &[u8]) -> Ruling {
    let odd = |at: usize, byte: u8| (byte < 32 && !(byte == 13 && at + 1 == line.len())) || byte == 127;
    for (at, byte) in line.iter().enumerate() {
        if odd(at, *byte) {
            return Ruling::Wrong;
        }
    }
    Ruling::More
}

/// Takes the line apart from its end.
fn announced(form: Form, line: &mut Vec<u8>) -> Option<usize> {
    if line.pop()? != b'\r' {
        return None;
    }
    let length = pop_number(line)?;
    if line.pop()? != b' ' {
        return None;
    }
    pop_number(line).filter(|flags| *flags <= u128::from(u64::MAX))?;
    let before = match form {
        Form::Command => "CONFIG cluster ",
        Form::Key => "VALUE AmazonElastiCache:cluster ",
    };
    (length <= 262_144 && line == before.as_bytes()).then_some(length as usize)
}

fn pop_number(line: &mut Vec<u8>) -> Option<u128> {
    let mut digits = String::new();
    while line.last().is_some_and(|byte| "0123456789".contains(char::from(*byte))) {
        digits.insert(0, char::from(line.pop()?));
    }
    value(&digits)
}

/// Returns the value of digits, or one beyond all limits.
fn value(digits: &str) -> Option<u128> {
    let mut value = None;
    for digit in digits.chars() {
        let digit = "0123456789".find(digit)? as u128;
        value = Some(value.unwrap_or(0_u128).saturating_mul(10).saturating_add(digit));
    }
    value
}

fn ended(text: &[u8], end: &[u8]) -> Ruling {
    for whole in ["\r\nEND\r\n", "\n\r\nEND\r\n"] {
        if end == whole.as_bytes() {
            return written(text).map_or(Ruling::Wrong, |(version, nodes)| Ruling::Config(version, nodes));
        }
    }
    for whole in ["\r\nEND\r\n", "\n\r\nEND\r\n"] {
        for cut in 0..whole.len() {
            if end == &whole.as_bytes()[..cut] {
                return Ruling::More;
            }
        }
    }
    Ruling::Wrong
}

fn written(text: &[u8]) -> Option<(u64, Vec<Listed>)> {
    let mut lines = vec![String::new()];
    for byte in text {
        if *byte > 126 {
            return None;
        }
        let line = lines.last_mut()?;
        if *byte == b'\n' {
            if line.ends_with('\r') {
                line.pop();
            }
            lines.push(String::new());
        } else {
            line.push(char::from(*byte));
        }
    }
    while lines.last().is_some_and(String::is_empty) {
        lines.pop();
    }
    let [version, list] = lines.as_slice() else { return None };
    let version = u64::try_from(value(version)?).ok()?;
    let mut nodes: Vec<Listed> = Vec::new();
    for group in list.split(' ') {
        let node = listed(group)?;
        for earlier in &nodes {
            if (&earlier.0, earlier.2) == (&node.0, node.2) {
                return None;
            }
        }
        nodes.push(node);
    }
    (nodes.len() <= 1000).then_some((version, nodes))
}

fn listed(group: &str) -> Option<Listed> {
    let fields: Vec<&str> = group.split('|').collect();
    let [host, ip, port] = fields.as_slice() else { return None };
    let port = value(port).filter(|port| (1..65536).contains(port))?;
    let ip = if ip.is_empty() { None } else { Some(address(ip)?) };
    let host = address(host).map(|ip| ip.to_string()).or_else(|| named(host))?;
    Some((host, ip, port as u16))
}

fn address(text: &str) -> Option<IpAddr> {
    if text.contains(':') {
        let ip: Ipv6Addr = text.parse().ok()?;
        return (ip.segments() != [0; 8]).then_some(ip.into());
    }
    let mut octets = Vec::new();
    for part in text.split('.') {
        let canonical = part == "0" || !part.starts_with('0');
        octets.push(value(part).filter(|octet| *octet < 256 && canonical)? as u8);
    }
    let octets: [u8; 4] = octets.try_into().ok()?;
    (octets != [0; 4]).then_some(Ipv4Addr::from(octets).into())
}

/// Walks over a name and keeps count.
fn named(text: &str) -> Option<String> {
    let mut name = text.to_owned();
    if name.ends_with('.') {
        name.pop();
    }
    let mut label = String::new();
    let mut all = Vec::new();
    for letter in name.chars().chain(['.']) {
        match letter {
            '.' if label.is_empty() || label.len() > 63 => return None,
            '.' => all.push(std::mem::take(&mut label)),
            '-' if label.is_empty() => return None,
            'a'..='z' | '0'..='9' | '-' | '_' => label.push(letter),
            'A'..='Z' => label.push(letter.to_ascii_lowercase()),
            _ => return None,
        }
    }
    let dashed = all.iter().any(|label| label.ends_with('-'));
    let number = all.last()?.chars().all(|letter| letter.is_ascii_digit());
    let name = all.join(".");
    (!dashed && !number && name.len() < 254).then_some(name)
}
