//! NaN bits that the specification leaves open are no difference, for modules that somebody wrote too.

use std::io::Write;
use std::process::Command;

/// Divides zero by zero, and shows the bits in every way there is: as a result, an integer, a global and in memory.
const WAT: &str = r#"(module (memory (export "m") 1) (global $g (export "g") (mut f32) (f32.const 0))
    (func (export "f") (param f32) (result f32 i32) (local $nan f32)
        (local.set $nan (f32.div (f32.const 0) (f32.const 0)))
        (global.set $g (local.get $nan)) (f32.store (i32.const 8) (local.get $nan))
        (local.get $nan) (i32.reinterpret_f32 (local.get $nan))))"#;

#[test]
fn a_module_is_held_against_a_judge_with_its_nans_canonical_and_people_are_told() {
    let folder = std::env::temp_dir().join(format!("crosscheck-nan-bits-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("the folder can be made");
    let file = folder.join("nan.wat");
    std::fs::write(&file, WAT).expect("the file can be written");
    let replay = |more: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_crosscheck"));
        let output = command.arg("replay").arg(&file).args(more).output().expect("it can be started");
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        (output.status.code(), text(&output.stdout), text(&output.stderr))
    };
    let (_, alone, _) = replay(&[]);
    assert!(!alone.contains("canonical"), "{alone}");
    let (code, said, wrong) = replay(&["--with", "v8"]);
    std::fs::remove_dir_all(&folder).expect("the folder is ours");
    if code == Some(2) && wrong.contains("node") {
        // Whether it is heard changes no test.
        let _ = writeln!(std::io::stderr(), "NOT TESTED: V8, for {wrong}");
        return;
    }
    assert_eq!(code, Some(0), "{said}{wrong}");
    assert!(said.contains("NaN results are made canonical in a copy of the module"), "{said}");
}
