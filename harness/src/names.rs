//! Names of functions as people read them: what a compiler mangled is demangled, and what a terminal would act on is
//! escaped.

use crosscheck_engine::Shown;

/// A function's name, demangled if Rust or C++ mangled it, escaped and cut to one short line.
pub fn readable(name: &str) -> String {
    Shown(&demangled(name).unwrap_or_else(|| name.to_string())).to_string()
}

fn demangled(name: &str) -> Option<String> {
    if let Ok(rust) = rustc_demangle::try_demangle(name) {
        // Without the hash that tells instances of one function apart.
        return Some(format!("{rust:#}"));
    }
    // A C++ symbol is marked; other names would be taken for types that they are not.
    let is_marked = name.starts_with("_Z") || name.starts_with("__Z");
    is_marked.then(|| cpp_demangle::Symbol::new(name).ok()?.demangle().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::readable;

    #[test]
    fn mangled_names_are_demangled_and_others_left_alone() {
        assert_eq!(readable("_ZN4core3fmt9Formatter3pad17h1b2c3d4e5f60718aE"), "core::fmt::Formatter::pad");
        assert_eq!(readable("_ZN3foo3barEi"), "foo::bar(int)");
        assert_eq!(readable("env.sum"), "env.sum");
        assert_eq!(readable("_start"), "_start");
    }

    #[test]
    fn a_name_keeps_to_its_line() {
        assert_eq!(readable("a\n#01: 0x0000 - b"), r"a\u{a}#01: 0x0000 - b");
    }
}
