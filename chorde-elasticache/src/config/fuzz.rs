//! Any bytes may come from a server: the target of this module (feature `testing`).

pub(super) mod oracle;

use super::{Form, Reading, Said, read};
use oracle::{Ruling, rule};

const FORMS: [Form; 2] = [Form::Command, Form::Key];

/// Judges answers, texts in answers and lists in texts: as the oracle judges them, and the same as they come.
///
/// The input says in its first byte what the rest is.
pub(crate) fn configuration(data: &[u8]) {
    let Some((what, rest)) = data.split_first() else { return };
    let form = FORMS[usize::from(what & 1)];
    let received = match what >> 1 & 3 {
        0 => rest.to_vec(),
        1 => answer(form, rest.len(), rest),
        2 => answer(form, rest.len().saturating_sub(1), rest),
        _ => {
            let text = [b"7\n", rest, b"\n"].concat();
            answer(form, text.len(), &text)
        }
    };
    judge(form, &received);
    judge_as_it_comes(form, &received);
}

/// Makes an answer that announces a text of this length.
pub(super) fn answer(form: Form, length: impl std::fmt::Display, text: &[u8]) -> Vec<u8> {
    let title = match form {
        Form::Command => "CONFIG cluster",
        Form::Key => "VALUE AmazonElastiCache:cluster",
    };
    [format!("{title} 0 {length}\r\n").as_bytes(), text, b"\r\nEND\r\n"].concat()
}

/// Judges bytes twice; returns whether they hold a configuration.
pub(super) fn judge(form: Form, received: &[u8]) -> bool {
    let judged = read(form, received);
    let ruling = match &judged {
        Err(malformed) => {
            let message = malformed.to_string();
            assert!(message.len() < 200 && message.bytes().all(|byte| (b' '..=b'~').contains(&byte)), "{message}");
            Ruling::Wrong
        }
        Ok(Reading::More) => Ruling::More,
        Ok(Reading::Done(Said::Nothing)) => Ruling::Nothing,
        Ok(Reading::Done(Said::Unknown)) => Ruling::Unknown,
        Ok(Reading::Done(Said::Config(config))) => {
            let text = config.to_payload();
            let again = read(form, &answer(form, text.len(), text.as_bytes()));
            assert_eq!(again, judged, "it can be told again");
            let nodes = config.nodes.iter().map(|node| (node.host.clone(), node.ip, node.port)).collect();
            Ruling::Config(config.version, nodes)
        }
    };
    assert_eq!(ruling, rule(form, received), "{}", received.escape_ascii());
    matches!(ruling, Ruling::Config(..))
}

/// Judges bytes as they come: only what goes on may become anything, and nothing changes once it is known.
fn judge_as_it_comes(form: Form, received: &[u8]) {
    let mut wrong = false;
    let mut done = false;
    // Of long ones some lengths, the last ones among them.
    let step = received.len() / 64 + 1;
    for length in (0..=received.len()).filter(|length| length % step == 0 || length + 8 > received.len()) {
        let read = read(form, &received[..length]);
        assert!(!wrong || read.is_err(), "{}", received[..length].escape_ascii());
        assert!(!done || read.is_err(), "nothing follows an answer");
        wrong = read.is_err();
        done = matches!(read, Ok(Reading::Done(_)));
    }
}
