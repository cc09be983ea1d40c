//! What makes an expression count its steps: wherever it may go on for ever or grow, a step is written into it.

use std::collections::HashSet;

use jaq_core::load::lex::StrPart;
use jaq_core::load::parse::{BinaryOp, Def, Pattern, Term};
use jaq_core::ops::Math;
use jaq_core::path::{Part, Path};

use super::functions::{self, CALL, MADE, PLUS, STEP, TIMES};

/// How deep an expression may be nested.
const DEEPEST: usize = 200;

type Code<'s> = Term<&'s str>;

/// Writes steps into an expression.
///
/// # Errors
/// It is nested too deep.
pub(super) fn expression(definition: &mut Def<&str>) -> Result<(), String> {
    guard_definition(definition, DEEPEST)
}

/// The definitions of the libraries that need no function which is left out, with steps.
pub(super) fn definitions<'s>() -> impl Iterator<Item = Def<&'s str>> {
    let all = jaq_core::defs()
        .chain(jaq_std::defs())
        .chain(jaq_json::defs());
    let functions = functions::all().map(|(name, args, _)| (name, args.len()));
    let mut known: HashSet<(&str, usize)> = functions.collect();
    known.insert(("!empty", 0));
    let mut kept: Vec<Def<&'s str>> = Vec::new();
    for mut definition in all {
        if !needs_only(&definition, &known) {
            continue;
        }
        known.insert((definition.name, definition.args.len()));
        // None of them is nested so deep.
        let _ = guard_definition(&mut definition, DEEPEST);
        kept.push(definition);
    }
    kept.into_iter()
}

/// Whether all that a definition calls is known.
fn needs_only<'s>(definition: &Def<&'s str>, known: &HashSet<(&'s str, usize)>) -> bool {
    let mut known = known.clone();
    known.insert((definition.name, definition.args.len()));
    known.extend(definition.args.iter().map(|name| (*name, 0)));
    calls_only(&definition.body, &known)
}

fn calls_only<'s>(term: &Code<'s>, known: &HashSet<(&'s str, usize)>) -> bool {
    let mut fits = true;
    match term {
        Term::Call(name, args) => fits = known.contains(&(*name, args.len())),
        Term::Def(definitions, rest) => {
            let mut known = known.clone();
            for definition in definitions {
                fits &= needs_only(definition, &known);
                known.insert((definition.name, definition.args.len()));
            }
            return fits && calls_only(rest, &known);
        }
        // The function of a format such as @base64.
        Term::Str(Some(format), _) => fits = known.contains(&(*format, 0)),
        _ => {}
    }
    let mut term = term.clone();
    children(&mut term, &mut |child| {
        fits &= calls_only(child, known);
        Ok(())
    })
    .is_ok()
        && fits
}

/// Whether a definition calls itself, or one of its name.
fn is_recursive(term: &mut Code<'_>, name: &str) -> bool {
    if matches!(term, Term::Call(called, _) if *called == name) {
        return true;
    }
    let mut found = false;
    let looked = children(term, &mut |child| {
        found |= is_recursive(child, name);
        Ok(())
    });
    found || looked.is_err()
}

fn guard_definition(definition: &mut Def<&str>, deepest: usize) -> Result<(), String> {
    // First, as it knows how deep it may go.
    guard(&mut definition.body, deepest)?;
    if is_recursive(&mut definition.body, definition.name) {
        let is_function = |name: &&str| !name.starts_with('$');
        let step = match definition.args.iter().any(is_function) {
            true => CALL,
            false => STEP,
        };
        before(&mut definition.body, step);
    }
    Ok(())
}

fn guard(term: &mut Code<'_>, deepest: usize) -> Result<(), String> {
    let below = deepest
        .checked_sub(1)
        .ok_or_else(|| format!("the expression is nested deeper than {DEEPEST} levels"))?;
    if let Term::Def(definitions, rest) = term {
        for definition in definitions {
            guard_definition(definition, below)?;
        }
        return guard(rest, below);
    }
    children(term, &mut |child| guard(child, below))?;
    match term {
        Term::Recurse => after(term, STEP),
        Term::Arr(_) | Term::Obj(_) => after(term, MADE),
        Term::Path(_, path) if path.0.iter().any(|(part, _)| is_many(part)) => after(term, STEP),
        Term::Fold(_, _, _, parts) => {
            if let Some(update) = parts.get_mut(1) {
                before(update, STEP);
            }
        }
        Term::BinOp(_, BinaryOp::Comma, right) => before(right, STEP),
        Term::BinOp(_, BinaryOp::Math(Math::Mul), _) => call(term, TIMES),
        Term::BinOp(_, BinaryOp::Math(Math::Add), _) => call(term, PLUS),
        Term::BinOp(_, BinaryOp::UpdateMath(_), _) => update(term),
        _ => {}
    }
    Ok(())
}

const fn is_many<T>(part: &Part<T>) -> bool {
    matches!(part, Part::Range(..))
}

/// `f` becomes `!step | f`.
fn before(term: &mut Code<'_>, step: &'static str) {
    let inner = Box::new(std::mem::take(term));
    let step = Box::new(Term::Call(step, Vec::new()));
    *term = Term::BinOp(step, BinaryOp::Pipe(None), inner);
}

/// `f` becomes `f | !step`.
fn after(term: &mut Code<'_>, step: &'static str) {
    let inner = Box::new(std::mem::take(term));
    let step = Box::new(Term::Call(step, Vec::new()));
    *term = Term::BinOp(inner, BinaryOp::Pipe(None), step);
}

/// `f + g` becomes `!plus(f; g)`.
fn call(term: &mut Code<'_>, function: &'static str) {
    match std::mem::take(term) {
        Term::BinOp(left, _, right) => *term = Term::Call(function, vec![*left, *right]),
        other => *term = other,
    }
}

/// `f += g` becomes `g as $x | f |= !plus(.; $x)`, as jaq defines it.
fn update(term: &mut Code<'_>) {
    const OPERAND: &str = "$!operand";
    match std::mem::take(term) {
        Term::BinOp(left, BinaryOp::UpdateMath(math), right) => {
            let operand = Box::new(Term::Var(OPERAND));
            let mut changed = Term::BinOp(Box::new(Term::Id), BinaryOp::Math(math), operand);
            match math {
                Math::Mul => call(&mut changed, TIMES),
                Math::Add => call(&mut changed, PLUS),
                _ => {}
            }
            let updated = Term::BinOp(left, BinaryOp::Update, Box::new(changed));
            let bound = BinaryOp::Pipe(Some(Pattern::Var(OPERAND)));
            *term = Term::BinOp(right, bound, Box::new(updated));
        }
        other => *term = other,
    }
}

type See<'c, 's> = &'c mut dyn FnMut(&mut Code<'s>) -> Result<(), String>;

/// Calls `see` with each term that a term consists of.
fn children<'s>(term: &mut Code<'s>, see: See<'_, 's>) -> Result<(), String> {
    match term {
        Term::Id
        | Term::Recurse
        | Term::Num(_)
        | Term::Break(_)
        | Term::Var(_)
        | Term::Arr(None) => Ok(()),
        Term::Str(_, parts) => parts.iter_mut().try_for_each(|part| match part {
            StrPart::Term(term) => see(term),
            StrPart::Str(_) | StrPart::Char(_) => Ok(()),
        }),
        Term::Arr(Some(inner)) | Term::Neg(inner) | Term::Label(_, inner) => see(inner),
        Term::Obj(pairs) => pairs.iter_mut().try_for_each(|(key, value)| {
            // A variable or a name alone is key and value.
            match value {
                Some(value) => see(key).and_then(|()| see(value)),
                None => Ok(()),
            }
        }),
        Term::BinOp(left, operator, right) => {
            see(left)?;
            if let BinaryOp::Pipe(Some(found)) = operator {
                pattern(found, see)?;
            }
            see(right)
        }
        Term::Fold(_, source, found, parts) => {
            see(source)?;
            pattern(found, see)?;
            parts.iter_mut().try_for_each(see)
        }
        Term::TryCatch(tried, caught) => {
            see(tried)?;
            caught.as_mut().map_or(Ok(()), |it| see(it))
        }
        Term::IfThenElse(cases, other) => {
            for (condition, then) in cases {
                see(condition)?;
                see(then)?;
            }
            other.as_mut().map_or(Ok(()), |it| see(it))
        }
        Term::Def(definitions, rest) => {
            for definition in definitions {
                see(&mut definition.body)?;
            }
            see(rest)
        }
        Term::Call(_, args) => args.iter_mut().try_for_each(see),
        Term::Path(from, path) => {
            see(from)?;
            indices(path, see)
        }
    }
}

fn indices<'s>(path: &mut Path<Code<'s>>, see: See<'_, 's>) -> Result<(), String> {
    path.0.iter_mut().try_for_each(|(part, _)| match part {
        Part::Index(index) => see(index),
        Part::Range(start, end) => start.iter_mut().chain(end).try_for_each(&mut *see),
    })
}

fn pattern<'s>(found: &mut Pattern<&'s str>, see: See<'_, 's>) -> Result<(), String> {
    match found {
        Pattern::Var(_) => Ok(()),
        Pattern::Arr(items) => items.iter_mut().try_for_each(|it| pattern(it, see)),
        Pattern::Obj(pairs) => pairs.iter_mut().try_for_each(|(key, it)| {
            see(key)?;
            pattern(it, see)
        }),
    }
}
