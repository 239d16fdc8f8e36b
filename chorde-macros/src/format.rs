//! The names in format strings: `{id}` uses the variable `id`, though no token says so.

use proc_macro2::Literal;

/// Lists what a literal would capture as a format string. What is not a format string may be taken for one.
pub(crate) fn captures(literal: &Literal) -> Vec<String> {
    let text = literal.to_string();
    if !text.contains('{') || !text.ends_with(['"', '#']) {
        return Vec::new();
    }
    let pieces = text.replace("{{", "").split('{').skip(1).map(str::to_owned).collect::<Vec<_>>();
    pieces.iter().filter_map(|piece| piece.split('}').next()).flat_map(names).collect()
}

/// Gives what a literal captures other names.
pub(crate) fn rename(literal: Literal, names: &[(String, String)]) -> Literal {
    let captured = captures(&literal);
    let mut text = literal.to_string();
    let is_used = |(from, _): &&(String, String)| captured.contains(from);
    let mut is_renamed = false;
    for (from, to) in names.iter().filter(is_used) {
        is_renamed = true;
        for (before, after) in [("{", "}"), ("{", ":"), (":", "$"), (".", "$"), (">", "$"), ("<", "$"), ("^", "$")] {
            text = text.replace(&format!("{before}{from}{after}"), &format!("{before}{to}{after}"));
        }
    }
    match text.parse::<Literal>() {
        Ok(mut renamed) if is_renamed => {
            renamed.set_span(literal.span());
            renamed
        }
        _ => literal,
    }
}

/// The names between braces: `id`, `id:?`, and the width and precision of `id:width$.precision$`.
fn names(inside: &str) -> Vec<String> {
    let (argument, form) = inside.split_once(':').unwrap_or((inside, ""));
    let counts = form.match_indices('$').map(|(at, _)| {
        let before = &form[..at];
        let start = before.rfind(|c: char| !is_part(c)).map_or(0, |at| at + 1);
        // The type of the character before may be longer than a byte.
        before.get(start..).unwrap_or_default()
    });
    let all = std::iter::once(argument.trim()).chain(counts);
    all.filter(|name| is_name(name)).map(|name| name.trim_start_matches("r#").to_owned()).collect()
}

fn is_part(letter: char) -> bool {
    letter == '_' || letter.is_alphanumeric()
}

fn is_name(text: &str) -> bool {
    let text = text.trim_start_matches("r#");
    text.starts_with(|c: char| c == '_' || c.is_alphabetic()) && text.chars().all(is_part)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(literal: &str) -> Vec<String> {
        captures(&literal.parse().unwrap())
    }

    #[test]
    fn names_are_found_between_braces() {
        assert_eq!(found(r#""user:{id}""#), ["id"]);
        assert_eq!(found(r##"r#"{a:?} {b:>width$.precision$} {0} {}"#"##), ["a", "b", "width", "precision"]);
        assert_eq!(found(r#""{ r#type } {x:ä>n$}""#), ["type", "x", "n"]);
    }

    #[test]
    fn names_are_exchanged() {
        let names = [("id".to_owned(), "held".to_owned())];
        let renamed = |text: &str| rename(text.parse().unwrap(), &names).to_string();
        assert_eq!(renamed(r#""{id} id {id:>id$} {identity}""#), r#""{held} id {held:>held$} {identity}""#);
        assert_eq!(renamed("1"), "1");
    }

    #[test]
    fn other_literals_have_none() {
        for literal in ["1", "'{'", r#""{{id}}""#, r#""{""#, r#""""#, r#""id""#, r#""{a b}""#] {
            assert!(found(literal).is_empty(), "{literal}");
        }
    }
}
