//! Writes a case as a script that any engine's runner can run, with what the majority showed as what is expected.

use super::proposal::hosts_of;
use crate::case::{Action, Case, HeapKind, RefValue, Value};
use crate::observe::{ActionObservation, Observation, Outcome};
use crate::subject::is_outside;
use crosscheck_engine::{Limits, TrapKind};
use std::fmt::Write;

/// The script of a case: `notes` first, as comments. Fails on a module that cannot be printed.
pub fn to_script(case: &Case, expected: &Observation, notes: &[String]) -> Result<String, String> {
    to_script_on(case, expected, &[], notes)
}

/// The same of a case that some lanes are to run, which is said in a header where one has a switch.
pub fn to_script_on(
    case: &Case,
    expected: &Observation,
    lanes: &[&str],
    notes: &[String],
) -> Result<String, String> {
    let mut text = String::new();
    for note in notes {
        let _ = writeln!(text, ";; {note}");
    }
    headers(case, lanes).iter().for_each(|header| _ = writeln!(text, ";;! {header}"));
    for (action, seen) in case.actions.iter().zip(&expected.actions) {
        text.push_str(&directive(case, action, seen)?);
        text.push('\n');
    }
    Ok(text)
}

/// What the format cannot say. Limits that scripts have anyway go without saying.
fn headers(case: &Case, lanes: &[&str]) -> Vec<String> {
    let (limits, usual) = (case.limits, Limits::default());
    let mut headers = Vec::new();
    let mut add = |key: &str, value: u64, usual: Option<u64>| {
        if Some(value) != usual {
            headers.push(format!("{key}: {value}"));
        }
    };
    if let Some(fuel) = limits.fuel {
        add("fuel", fuel, None);
    }
    add("depth-slots", limits.depth_slots.into(), Some(usual.depth_slots.into()));
    add("host-depth", limits.host_depth.into(), Some(usual.host_reentries.into()));
    add("memory-bytes", limits.memory_bytes, Some(usual.memory_bytes));
    add("table-elements", limits.table_elements, Some(usual.table_elements));
    if !hosts_of(case).is_empty() {
        let hosts = case.hosts;
        let throws = if hosts.throw_one_in == 0 { String::new() } else { format!(" {}", hosts.throw_one_in) };
        headers.push(format!("hosts: {} {}{throws}", hosts.seed, hosts.trap_one_in));
    }
    // Other subjects take part where they are asked for, and are no lanes.
    let lanes: Vec<&str> = lanes.iter().copied().filter(|name| !is_outside(name)).collect();
    if lanes.iter().any(|lane| lane.contains('+')) {
        headers.push(format!("lanes: {}", lanes.join(" ")));
    }
    headers
}

fn directive(case: &Case, action: &Action, seen: &ActionObservation) -> Result<String, String> {
    match action {
        Action::Instantiate { module } => {
            let id = id(case, *module);
            let printed = print(&case.modules[*module as usize].wasm)?;
            let named = printed.replacen("(module", &format!("(module {id}"), 1);
            let name = quoted(&case.modules[*module as usize].name);
            Ok(match &seen.outcome {
                Outcome::Trap(trap) => format!("(assert_trap {printed} {:?})", trap.kind.text()),
                _ => format!("{named}\n(register {name} {id})"),
            })
        }
        Action::Invoke { module, export, args } => {
            let args: String = args.iter().map(|arg| format!(" {}", constant(arg))).collect();
            let call = format!("(invoke {} {}{args})", id(case, *module), quoted(export));
            Ok(assertion(&call, &seen.outcome))
        }
        Action::Read { module, export } => {
            Ok(assertion(&format!("(get {} {})", id(case, *module), quoted(export)), &seen.outcome))
        }
    }
}

/// What a script calls a module: its name, where that can stand in one.
fn id(case: &Case, module: u32) -> String {
    let name = &case.modules[module as usize].name;
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte);
    if !name.is_empty() && name.bytes().all(is_plain) { format!("${name}") } else { format!("$-{module}") }
}

/// A name as a string of the text format.
fn quoted(name: &str) -> String {
    let mut text = String::from("\"");
    for byte in name.bytes() {
        match byte {
            b'"' | b'\\' => text.extend(['\\', char::from(byte)]),
            b' '..=b'~' => text.push(char::from(byte)),
            _ => _ = write!(text, "\\{byte:02x}"),
        }
    }
    text + "\""
}

fn assertion(action: &str, outcome: &Outcome) -> String {
    match outcome {
        Outcome::Values(values) => {
            let values: String = values.iter().map(|value| format!(" {}", constant(value))).collect();
            format!("(assert_return {action}{values})")
        }
        Outcome::Trap(trap) if trap.kind == TrapKind::CallStackExhausted => {
            format!("(assert_exhaustion {action} {:?})", trap.kind.text())
        }
        Outcome::Trap(trap) => format!("(assert_trap {action} {:?})", trap.kind.text()),
        // The format says nothing of its tag and its values.
        Outcome::Exception { .. } => format!("(assert_exception {action})"),
        other @ (Outcome::Link(_)
        | Outcome::Usage(_)
        | Outcome::Limit(_)
        | Outcome::Unsupported(_)
        | Outcome::Unclear(_)
        | Outcome::Resources(_)
        | Outcome::Crash(_)
        | Outcome::Hang(_)) => format!(";; {action} ends otherwise: {}", other.describe()),
    }
}

fn print(wasm: &[u8]) -> Result<String, String> {
    wasmprinter::print_bytes(wasm).map_err(|error| format!("cannot print the module: {error}"))
}

/// A value in the text format, floats by their bits where they are not plain numbers.
fn constant(value: &Value) -> String {
    match value {
        Value::I32(value) => format!("(i32.const {})", *value as i32),
        Value::I64(value) => format!("(i64.const {})", *value as i64),
        Value::F32(bits) => {
            let payload = u64::from(bits & 0x007f_ffff);
            float(
                "f32",
                f64::from(f32::from_bits(*bits)),
                f32::from_bits(*bits).to_string(),
                bits >> 31 != 0,
                payload,
            )
        }
        Value::F64(bits) => {
            let payload = bits & 0x000f_ffff_ffff_ffff;
            float("f64", f64::from_bits(*bits), f64::from_bits(*bits).to_string(), bits >> 63 != 0, payload)
        }
        Value::V128(bits) => {
            let lanes: String = (0..4).map(|lane| format!(" {:#x}", (bits >> (32 * lane)) as u32)).collect();
            format!("(v128.const i32x4{lanes})")
        }
        Value::Ref(RefValue::Null(HeapKind::Concrete(_))) => "(ref.null)".to_string(),
        Value::Ref(RefValue::Null(heap)) => format!("(ref.null {heap})"),
        Value::Ref(RefValue::Func(_)) => "(ref.func)".to_string(),
        Value::Ref(RefValue::Extern(number)) => format!("(ref.extern {number})"),
        Value::Ref(RefValue::I31(_)) => "(ref.i31)".to_string(),
        Value::Ref(RefValue::Other { .. }) => "(ref.any)".to_string(),
    }
}

fn float(ty: &str, value: f64, decimal: String, is_negative: bool, payload: u64) -> String {
    let sign = if is_negative { "-" } else { "" };
    if value.is_nan() {
        format!("({ty}.const {sign}nan:{payload:#x})")
    } else if value.is_infinite() {
        format!("({ty}.const {sign}inf)")
    } else {
        format!("({ty}.const {decimal})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::case;

    #[test]
    fn the_header_of_lanes_names_no_other_subject() {
        let (hosts, limits) = (case::HostPlan::new(0, 0), case::Limits::default());
        let case = Case { modules: Vec::new(), hosts, actions: Vec::new(), limits };
        let of_lanes = |lanes: &[&str]| {
            headers(&case, lanes).into_iter().filter(|header| header.starts_with("lanes")).collect::<Vec<_>>()
        };
        assert_eq!(of_lanes(&["interp+no-fuel", "baseline"]), ["lanes: interp+no-fuel baseline"]);
        assert_eq!(of_lanes(&["interp+no-fuel", "model", "wt=lib:a+b"]), ["lanes: interp+no-fuel"]);
        assert_eq!(of_lanes(&["interp", "model"]), [] as [&str; 0]);
    }
}
