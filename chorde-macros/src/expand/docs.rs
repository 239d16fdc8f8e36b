//! The words of the documentation that is emitted.

use super::companion::Companion;
use super::context::Context;
use crate::model::{Home, Model};
use crate::outcome::Form;

/// Of the body.
pub(crate) const UNCACHED: &str = "The function itself: computes, and leaves the cache alone.";

/// Of the companion type.
pub(crate) fn of_type(context: &Context<'_>) -> String {
    let name = &context.model.ident;
    let mut text = format!("The companions of the cached function [`{name}`](fn@{name}).");
    if !super::own::can_echo(context.model) {
        text.push_str(
            "\n\nThere is no `on_value` and no `placeholder`: not every argument can be owned, or not every type parameter \
             in one is declared `Clone + Send + Sync + 'static`.",
        );
    }
    text
}

/// The "Caching" section of the function, with what is said of its companions.
pub(crate) fn section(context: &Context<'_>, companions: Option<&str>) -> String {
    let model = context.model;
    let life = model.args.ttl.as_ref().map_or_else(String::new, crate::duration::Duration::words);
    let mut text = format!("\n\n# Caching\n\nA result is used for {life}{}. {}", refresh(model), key(model));
    match model.outcome.form {
        Form::Result(_) => text.push_str(" Errors are returned and never stored."),
        Form::ByType(_) | Form::Found if model.outcome.whole.to_string().contains("Result") => {
            text.push_str(" If that is a `Result`, errors are returned and never stored.");
        }
        _ => {}
    }
    if let Some(companions) = companions {
        text.push_str("\n\nCompanions: ");
        text.push_str(companions);
        text.push('.');
    }
    text
}

fn refresh(model: &Model) -> String {
    match &model.args.async_ttl {
        None => String::new(),
        Some(due) if due.negative => format!(", and recomputed in the background from the age of {} on", due.words()),
        Some(due) => format!(", and recomputed in the background once less than {} remain", due.words()),
    }
}

fn key(model: &Model) -> String {
    if let Some(key) = &model.args.key {
        let source = quote::ToTokens::to_token_stream(key);
        let text = source
            .to_string()
            .replace('`', "'")
            .replace(" . ", ".")
            .replace(" ,", ",")
            .replace(" (", "(")
            .replace("( ", "(");
        return format!("Its key is `{text}`.");
    }
    let names: Vec<String> = model.plain_params().filter(|p| !p.skipped).map(|p| format!("`{}`", p.ident)).collect();
    match names.as_slice() {
        [] => "There is one result for all calls.".into(),
        [only] => format!("Its key is {only}."),
        [first @ .., last] => format!("Its key is {} and {last}.", first.join(", ")),
    }
}

/// Links to the companions beside a function, in order.
pub(crate) fn links(context: &Context<'_>, companions: &[Companion]) -> String {
    let owner = match context.model.home {
        Home::Impl => "Self".to_owned(),
        _ => context.model.name.clone(),
    };
    let uncached = context.companion("uncached").to_string();
    let names = companions.iter().map(|c| context.companion(c.name).to_string());
    let links = names.chain([uncached]).map(|name| format!("[`{name}`]({owner}::{name})"));
    links.collect::<Vec<_>>().join(", ")
}

/// Names companions that are documented with the runtime, which may not be there to be linked to.
pub(crate) fn names(context: &Context<'_>, companions: impl Iterator<Item = &'static str>) -> String {
    let name = &context.model.name;
    let names = companions.map(|companion| format!("`{companion}`"));
    format!("[`{name}`](type@{name}) has {} and `uncached`", names.collect::<Vec<_>>().join(", "))
}
