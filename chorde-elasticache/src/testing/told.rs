//! What an endpoint says, true or not, and how it is put.

use super::LEGACY_KEY;

/// Is what the configuration endpoint answers when it is asked for the configuration.
///
/// # Examples
///
/// An endpoint that is out of its mind for one answer:
///
/// ```
/// use std::io::{Read, Write};
/// use std::net::TcpStream;
///
/// use chorde_elasticache::testing::{FakeCluster, Told};
///
/// let cluster = FakeCluster::start(1)?;
/// cluster.say_next([Told::Garbage(b"CONFIG cluster 0 -1\r\n".to_vec())]);
///
/// let mut client = TcpStream::connect(cluster.endpoint())?;
/// client.write_all(b"config get cluster\r\nconfig get cluster\r\nquit\r\n")?;
/// let mut answers = String::new();
/// client.read_to_string(&mut answers)?;
/// assert!(answers.starts_with("CONFIG cluster 0 -1\r\nCONFIG cluster 0 "));
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Told {
    /// The nodes as they are.
    #[default]
    Truth,
    /// The nodes as they are, under a version of your choice.
    Version(u64),
    /// A text of your own in the place of the configuration's, put as it should be: its length is told.
    Text(String),
    /// Bytes of your own in the place of the whole answer.
    Garbage(Vec<u8>),
    /// What stock memcached answers: `ERROR` to the command, `END` to the key.
    Unknown,
    /// No configuration: `END`.
    Nothing,
    /// The first half of the truth, and the end of the connection.
    Cut,
}

/// Which question is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// `config get cluster`.
    Command,
    /// `get AmazonElastiCache:cluster`.
    Key,
}

/// The configuration as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Truth {
    pub(super) version: u64,
    /// `host|ip|port` of each node, with spaces between.
    pub(super) list: String,
}

impl Truth {
    /// What stands in answers and keys.
    pub(super) fn text(&self) -> String {
        format!("{}\n{}\n", self.version, self.list)
    }
}

impl Told {
    /// Returns the whole answer, and whether the connection ends with it.
    pub(super) fn answer(&self, form: Form, truth: &Truth) -> (Vec<u8>, bool) {
        let bytes = match self {
            Self::Truth => form.put(&truth.text()),
            Self::Version(version) => form.put(&Truth { version: *version, ..truth.clone() }.text()),
            Self::Text(text) => form.put(text),
            Self::Garbage(bytes) => bytes.clone(),
            Self::Unknown if form == Form::Command => b"ERROR\r\n".to_vec(),
            Self::Unknown | Self::Nothing => b"END\r\n".to_vec(),
            Self::Cut => {
                let mut bytes = form.put(&truth.text());
                bytes.truncate(bytes.len() / 2);
                return (bytes, true);
            }
        };
        (bytes, false)
    }
}

impl Form {
    fn put(self, text: &str) -> Vec<u8> {
        let head = match self {
            Self::Command => "CONFIG cluster".to_owned(),
            Self::Key => format!("VALUE {LEGACY_KEY}"),
        };
        format!("{head} 0 {}\r\n{text}\r\nEND\r\n", text.len()).into_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(told: &Told, form: Form) -> (String, bool) {
        let truth = Truth { version: 12, list: "a|10.0.0.1|11211 b||11212".into() };
        let (bytes, ends) = told.answer(form, &truth);
        (String::from_utf8(bytes).unwrap(), ends)
    }

    #[test]
    fn both_forms_hold_the_same_text() {
        let text = "29\r\n12\na|10.0.0.1|11211 b||11212\n\r\nEND\r\n";
        assert_eq!(said(&Told::Truth, Form::Command), (format!("CONFIG cluster 0 {text}"), false));
        let key = format!("VALUE AmazonElastiCache:cluster 0 {text}");
        assert_eq!(said(&Told::Truth, Form::Key), (key, false));
    }

    #[test]
    fn another_version_has_a_length_of_its_own() {
        let expected = "CONFIG cluster 0 28\r\n3\na|10.0.0.1|11211 b||11212\n\r\nEND\r\n";
        assert_eq!(said(&Told::Version(3), Form::Command), (expected.into(), false));
        assert_eq!(said(&Told::Text("x".into()), Form::Command), ("CONFIG cluster 0 1\r\nx\r\nEND\r\n".into(), false));
    }

    #[test]
    fn what_is_cut_is_the_truth_so_far() {
        let (whole, _) = said(&Told::Truth, Form::Key);
        let (half, ends) = said(&Told::Cut, Form::Key);
        assert!(ends && whole.starts_with(&half) && half.len() == whole.len() / 2);
    }

    #[test]
    fn who_knows_nothing_says_so_in_the_form_of_the_question() {
        let told =
            [Told::Unknown, Told::Nothing].map(|told| [Form::Command, Form::Key].map(|form| said(&told, form).0));
        assert_eq!(told, [["ERROR\r\n", "END\r\n"], ["END\r\n", "END\r\n"]]);
    }
}
