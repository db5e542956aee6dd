//! What a slip of the pen makes of an expression or a statement.

use super::Finder;
use crate::mutant::{Form, Kind};
use syn::spanned::Spanned;
use syn::{BinOp, Expr, Lit, Stmt, UnOp};

/// Methods, and those that they are taken for.
const SIBLINGS: &[(&str, &str)] = &[
    ("min", "max"),
    ("first", "last"),
    ("is_some", "is_none"),
    ("is_ok", "is_err"),
    ("all", "any"),
    ("wrapping_add", "wrapping_sub"),
    ("checked_add", "checked_sub"),
    ("saturating_sub", "wrapping_sub"),
    ("saturating_add", "wrapping_add"),
    ("wrapping_shl", "wrapping_shr"),
    ("rotate_left", "rotate_right"),
    ("leading_zeros", "trailing_zeros"),
    ("floor", "ceil"),
    ("trunc", "floor"),
    ("zero_extend", "sign_extend"),
    ("push", "pop"),
    ("start", "end"),
    ("lo", "hi"),
    ("params", "results"),
    ("parameters", "results"),
];

/// Methods without which a chain goes on just as well: what they select or turn is lost.
const LOST: &[&str] = &["rev", "skip", "take", "filter", "skip_while", "take_while", "chain", "step_by"];

impl<'a> Finder<'a> {
    /// The mutants of an expression itself; not of those inside of it.
    pub(super) fn expression(&mut self, expression: &'a Expr) {
        match expression {
            Expr::Binary(binary) => self.binary(binary),
            Expr::Unary(unary) if matches!(unary.op, UnOp::Neg(_)) => {
                let operand = self.text_of(&*unary.expr).to_string();
                self.instead(Kind::LostOperand, unary, operand);
            }
            Expr::Unary(unary) if matches!(unary.op, UnOp::Not(_)) => {
                let operand = self.text_of(&*unary.expr).to_string();
                self.instead(Kind::NegatedCondition, unary, operand);
            }
            Expr::Lit(literal) => self.literal(literal),
            Expr::If(conditional) => self.condition(&conditional.cond),
            Expr::While(repeated) => self.condition(&repeated.cond),
            Expr::Match(matched) => self.arms(&matched.arms),
            Expr::Call(call) => self.call(call),
            Expr::MethodCall(call) => self.method(call),
            Expr::Cast(cast) => self.cast(cast),
            Expr::Path(path) if !self.places.contains(&path.span().byte_range()) => self.name(path),
            Expr::Field(field) if !self.places.contains(&field.span().byte_range()) => self.field(field),
            Expr::Macro(call) if call.mac.path.is_ident("matches") => {
                let replacement = format!("!{}", self.text_of(call));
                self.instead(Kind::NegatedCondition, call, replacement);
            }
            _ => {}
        }
    }

    /// The mutants of a condition of `if`, `while` or a guard.
    pub(super) fn condition(&mut self, condition: &'a Expr) {
        match condition {
            // What it binds is needed.
            Expr::Let(_) => {}
            Expr::Binary(binary) if matches!(binary.op, BinOp::And(_)) => {
                self.condition(&binary.left);
                self.condition(&binary.right);
            }
            _ => {
                let negated = format!("!({})", self.text_of(condition));
                self.instead(Kind::NegatedCondition, condition, negated);
                self.instead(Kind::FixedAnswer, condition, "true".into());
                self.instead(Kind::FixedAnswer, condition, "false".into());
            }
        }
    }

    /// The mutants of a statement with a semicolon.
    pub(super) fn statement(&mut self, statement: &'a Stmt, expression: &'a Expr) {
        let text = self.text_of(statement).to_string();
        match expression {
            Expr::MethodCall(_) | Expr::Call(_) | Expr::Assign(_) | Expr::Try(_) => {
                self.add(Kind::SkippedStatement, Form::Statement, statement, String::new());
                if !matches!(expression, Expr::Assign(_)) {
                    self.add(Kind::RepeatedStatement, Form::Statement, statement, format!("{text} {text}"));
                }
            }
            Expr::Binary(_) => {
                self.add(Kind::SkippedStatement, Form::Statement, statement, String::new());
                self.add(Kind::RepeatedStatement, Form::Statement, statement, format!("{text} {text}"));
            }
            _ => {}
        }
    }

    fn binary(&mut self, binary: &'a syn::ExprBinary) {
        let (left, right) = (self.text_of(&*binary.left), self.text_of(&*binary.right));
        let others: &[(Kind, &str)] = match binary.op {
            BinOp::Lt(_) => &[(Kind::Comparison, "<="), (Kind::Comparison, ">=")],
            BinOp::Le(_) => &[(Kind::Comparison, "<"), (Kind::Comparison, ">")],
            BinOp::Gt(_) => &[(Kind::Comparison, ">="), (Kind::Comparison, "<=")],
            BinOp::Ge(_) => &[(Kind::Comparison, ">"), (Kind::Comparison, "<")],
            BinOp::Eq(_) => &[(Kind::Comparison, "!=")],
            BinOp::Ne(_) => &[(Kind::Comparison, "==")],
            BinOp::And(_) => &[(Kind::Logic, "||")],
            BinOp::Or(_) => &[(Kind::Logic, "&&")],
            BinOp::Add(_) => &[(Kind::Arithmetic, "-")],
            BinOp::Sub(_) => &[(Kind::Arithmetic, "+")],
            BinOp::Mul(_) => &[(Kind::Arithmetic, "+")],
            BinOp::Div(_) => &[(Kind::Arithmetic, "%")],
            BinOp::Rem(_) => &[(Kind::Arithmetic, "/")],
            BinOp::Shl(_) => &[(Kind::Arithmetic, ">>")],
            BinOp::Shr(_) => &[(Kind::Arithmetic, "<<")],
            BinOp::BitAnd(_) => &[(Kind::Arithmetic, "|")],
            // Mostly of bits that are apart, of which `^` makes the same.
            BinOp::BitOr(_) => &[(Kind::Arithmetic, "&")],
            BinOp::BitXor(_) => &[(Kind::Arithmetic, "|")],
            BinOp::AddAssign(_) => &[(Kind::Arithmetic, "-="), (Kind::Arithmetic, "=")],
            BinOp::SubAssign(_) => &[(Kind::Arithmetic, "+=")],
            BinOp::BitOrAssign(_) => &[(Kind::Arithmetic, "=")],
            BinOp::BitXorAssign(_) => &[(Kind::Arithmetic, "=")],
            _ => &[],
        };
        let is_let = |side: &Expr| matches!(side, Expr::Let(_)) || holds_let(side);
        if is_let(&binary.left) || is_let(&binary.right) {
            return;
        }
        for (kind, operator) in others {
            self.instead(*kind, binary, format!("{left} {operator} {right}"));
        }
        let loses = match binary.op {
            BinOp::And(_) | BinOp::Or(_) => Kind::Logic,
            BinOp::Add(_) | BinOp::Sub(_) | BinOp::Mul(_) | BinOp::Shl(_) | BinOp::Shr(_) => {
                Kind::LostOperand
            }
            BinOp::BitAnd(_) | BinOp::BitOr(_) | BinOp::BitXor(_) => Kind::LostOperand,
            _ => return,
        };
        self.instead(loses, binary, left.to_string());
        if matches!(loses, Kind::Logic) || matches!(binary.op, BinOp::Add(_) | BinOp::BitOr(_)) {
            self.instead(loses, binary, right.to_string());
        }
    }

    fn literal(&mut self, literal: &'a syn::ExprLit) {
        match &literal.lit {
            Lit::Int(number) => {
                let suffix = number.suffix();
                let Ok(value) = number.base10_parse::<u128>() else { return };
                self.instead(Kind::Constant, literal, format!("{}{suffix}", value + 1));
                if value > 0 {
                    self.instead(Kind::Constant, literal, format!("{}{suffix}", value - 1));
                }
                if value > 1 {
                    self.instead(Kind::Constant, literal, format!("0{suffix}"));
                }
            }
            Lit::Bool(flag) => self.instead(Kind::Constant, literal, (!flag.value).to_string()),
            _ => {}
        }
    }

    /// Each arm with the body of the one before it and of the one behind it, if they bind the same names.
    fn arms(&mut self, arms: &'a [syn::Arm]) {
        let bound = |arm: &syn::Arm| {
            let mut names = Bound::default();
            syn::visit::Visit::visit_pat(&mut names, &arm.pat);
            names.0.sort();
            names.0
        };
        for pair in arms.windows(2) {
            let [one, other] = pair else { continue };
            let (names, other_names) = (bound(one), bound(other));
            if other_names.iter().all(|name| names.contains(name)) {
                let body = self.text_of(&*other.body).to_string();
                self.instead(Kind::NeighbourArm, &*one.body, body);
            }
            if names.iter().all(|name| other_names.contains(name)) {
                let body = self.text_of(&*one.body).to_string();
                self.instead(Kind::NeighbourArm, &*other.body, body);
            }
        }
    }

    fn call(&mut self, call: &'a syn::ExprCall) {
        let wraps = ["Some", "Ok"].contains(&self.text_of(&*call.func));
        if wraps && self.text_of(&*call.func) == "Some" {
            self.instead(Kind::FixedAnswer, call, "None".into());
        }
        if !wraps {
            self.arguments(call, &call.args);
        }
    }

    fn method(&mut self, call: &'a syn::ExprMethodCall) {
        let name = call.method.to_string();
        let receiver = self.text_of(&*call.receiver);
        let list = call.args.iter().map(|argument| self.text_of(argument)).collect::<Vec<_>>().join(", ");
        for (one, other) in SIBLINGS {
            let sibling = if name == *one {
                other
            } else if name == *other {
                one
            } else {
                continue;
            };
            self.instead(Kind::SiblingMethod, call, format!("{receiver}.{sibling}({list})"));
        }
        if LOST.contains(&name.as_str()) {
            self.instead(Kind::SiblingMethod, call, receiver.to_string());
        }
        self.arguments(call, &call.args);
    }

    /// Two arguments swapped, and one given twice.
    fn arguments(
        &mut self,
        call: &impl Spanned,
        arguments: &'a syn::punctuated::Punctuated<Expr, syn::Token![,]>,
    ) {
        let whole = call.span().byte_range();
        let arguments: Vec<&Expr> = arguments.iter().collect();
        for pair in arguments.windows(2) {
            let [one, other] = pair else { continue };
            let (from, to) = (one.span().byte_range(), other.span().byte_range());
            let (one, other) = (self.text_of(*one), self.text_of(*other));
            let (before, between) = (&self.text[whole.start..from.start], &self.text[from.end..to.start]);
            let after = &self.text[to.end..whole.end];
            let with = |one: &str, other: &str| format!("{before}{one}{between}{other}{after}");
            self.instead(Kind::SwappedArguments, call, with(other, one));
            self.instead(Kind::DoubledArgument, call, with(one, one));
            self.instead(Kind::DoubledArgument, call, with(other, other));
        }
    }

    fn cast(&mut self, cast: &'a syn::ExprCast) {
        let (value, ty) = (self.text_of(&*cast.expr), self.text_of(&*cast.ty));
        let narrower: &[&str] = match ty {
            "u64" | "usize" | "u128" => &["u32", "u16"],
            "i64" | "isize" | "i128" => &["i32", "u32"],
            "u32" => &["u16", "u8"],
            "i32" => &["i16", "u16"],
            "u16" => &["u8"],
            _ => &[],
        };
        for narrow in narrower {
            self.instead(Kind::CutWidth, cast, format!("({value}) as {narrow} as {ty}"));
        }
    }

    fn name(&mut self, path: &'a syn::ExprPath) {
        let Some(name) = path.path.get_ident() else { return };
        let at = path.span().byte_range().start;
        let other = self.names.instead_of(&name.to_string(), at).map(str::to_string);
        if let Some(other) = other {
            self.instead(Kind::AnotherName, path, other);
        }
    }

    fn field(&mut self, field: &'a syn::ExprField) {
        let base = self.text_of(&*field.base);
        match &field.member {
            syn::Member::Named(name) => {
                for other in self.fields.siblings(&name.to_string()).to_vec() {
                    self.instead(Kind::AnotherName, field, format!("{base}.{other}"));
                }
            }
            syn::Member::Unnamed(index) => {
                let other = if index.index == 0 { 1 } else { index.index - 1 };
                self.instead(Kind::AnotherName, field, format!("{base}.{other}"));
            }
        }
    }
}

/// Whether an operator writes to its left side.
pub(super) fn is_assignment(operator: &BinOp) -> bool {
    matches!(
        operator,
        BinOp::AddAssign(_)
            | BinOp::SubAssign(_)
            | BinOp::MulAssign(_)
            | BinOp::DivAssign(_)
            | BinOp::RemAssign(_)
            | BinOp::BitXorAssign(_)
            | BinOp::BitAndAssign(_)
            | BinOp::BitOrAssign(_)
            | BinOp::ShlAssign(_)
            | BinOp::ShrAssign(_)
    )
}

/// Whether a condition binds something further in.
fn holds_let(condition: &Expr) -> bool {
    match condition {
        Expr::Let(_) => true,
        Expr::Binary(binary) => holds_let(&binary.left) || holds_let(&binary.right),
        _ => false,
    }
}

/// The names that a pattern binds.
#[derive(Default)]
struct Bound(Vec<String>);

impl<'ast> syn::visit::Visit<'ast> for Bound {
    fn visit_pat_ident(&mut self, pattern: &'ast syn::PatIdent) {
        // What begins with a capital is a constant.
        let name = pattern.ident.to_string();
        if name.starts_with(|first: char| first.is_lowercase() || first == '_') {
            self.0.push(name);
        }
        syn::visit::visit_pat_ident(self, pattern);
    }
}
