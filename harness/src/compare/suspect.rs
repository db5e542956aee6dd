//! Where to look first, by which groups of subjects agree with one another.
//!
//! A table, its rows in the order in which they are tried:
//!
//! | who differs | where to look first |
//! | --- | --- |
//! | a subject from itself | the subject: it is not deterministic |
//! | all modes from the model | the shared floor, or the model |
//! | outside engines only | the shared floor, or the outside engine |
//! | all lanes alike, by failing | the shared floor |
//! | loaded code, and not the code that was compiled in memory | saving, relocation, loading |
//! | one architecture of several | that architecture's backend |
//! | some lanes of a mode, and not the others | what those lanes switch |
//! | one mode alone | that mode's room |
//! | compiled modes together | `native`, or a wrong side condition that they share |
//! | other modes together | what they share |

use super::{Divergence, Kind};
use crate::subject::MODEL;
use crosscheck_engine::Mode;
use std::collections::BTreeSet;
use std::fmt;

/// Where to look first.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Suspect {
    /// A subject that shows something else each time.
    Unstable,
    /// One outside engine: another one agrees with all modes.
    Outside,
    /// The shared floor, or the only outside engine that was asked.
    FloorOrOutside,
    /// The shared floor: outside engines agree with one another, and not with our modes.
    Floor,
    /// The shared floor: all lanes fail.
    FloorFails,
    /// The shared floor, or the model: all modes agree against it.
    FloorOrModel,
    /// What becomes of compiled code in a file.
    Loading,
    /// The backend of an architecture.
    Backend(String),
    /// What lanes of a mode switch: the mode, and the switches that all of the wrong lanes have and none of the right ones.
    Switches(String, Vec<String>),
    /// The room of the mode that differs alone.
    Room,
    /// What compiled modes share.
    Native,
    /// What these modes share.
    Shared(Vec<String>),
}

impl fmt::Display for Suspect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Suspect::Unstable => "a subject is not deterministic: what it shows differs between two runs",
            Suspect::Outside => {
                "all modes and an outside engine agree, another one differs: that engine, and then the shared floor"
            }
            Suspect::FloorOrOutside => {
                "all modes agree, an outside engine differs: the shared floor (types, store, numeric, linking), or the judge"
            }
            Suspect::Floor => {
                "outside engines agree with one another, and not with our modes: the shared floor (types, store, numeric, linking)"
            }
            Suspect::FloorFails => {
                "all lanes fail alike: the shared floor (types, store, numeric, linking)"
            }
            Suspect::FloorOrModel => {
                "all modes against the model: the shared floor (types, store, numeric, linking), or the model; the specification decides"
            }
            Suspect::Loading => {
                "loaded code differs, and code that was compiled in memory does not: saving, relocation and loading"
            }
            Suspect::Backend(architecture) => {
                return write!(f, "one architecture alone differs: the backend for {architecture}");
            }
            Suspect::Switches(mode, switches) if switches.is_empty() => {
                return write!(f, "some lanes of {mode} differ, and others do not: what they switch");
            }
            Suspect::Switches(mode, switches) => {
                let switches = switches.join(", ");
                return write!(f, "some lanes of {mode} differ, and others do not: what {switches} switches");
            }
            Suspect::Room => "one mode alone differs: that mode's room",
            Suspect::Native => {
                "compiled modes differ together: `native`, or a wrong side condition that they share"
            }
            Suspect::Shared(modes) => {
                let modes = modes.join(" and ");
                return write!(f, "{modes} differ together: what they share, and then their rooms");
            }
        })
    }
}

/// What a subject is, as far as it says where to look.
#[derive(Clone, PartialEq, Eq, Debug)]
enum Party {
    Lane(Lane),
    Model,
    Outside,
}

/// A lane, perhaps of a mode or an architecture that this build does not have.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Lane {
    /// The architecture, where it is not that of the program.
    architecture: Option<String>,
    mode: String,
    code: Code,
    switches: BTreeSet<String>,
}

/// What a mode executes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Code {
    /// The module, or what an interpreter made of it.
    Interpreted,
    /// Machine code that was compiled in memory.
    Compiled,
    /// Machine code from a file.
    Loaded,
}

/// The mode whose code comes from a file.
const LOADED: &str = "aot";

impl Party {
    /// The subject of that name: `mode+switch+switch`, after an architecture and a colon if it is not the program's.
    fn of(name: &str) -> Party {
        if name == MODEL {
            return Party::Model;
        }
        let (architecture, lane) = match name.split_once(':') {
            Some((architecture, lane)) => (Some(architecture.to_string()), lane),
            None => (None, name),
        };
        let mut words = lane.split('+');
        let mode = words.next().unwrap_or_default();
        let code = match mode.parse::<Mode>() {
            Ok(mode) if mode.is_compiled() => Code::Compiled,
            Ok(_) => Code::Interpreted,
            Err(_) if mode == LOADED => Code::Loaded,
            Err(_) => return Party::Outside,
        };
        let switches = words.map(str::to_string).collect();
        Party::Lane(Lane { architecture, mode: mode.to_string(), code, switches })
    }
}

/// The lanes of a group.
fn lanes(group: &[Party]) -> impl Iterator<Item = &Lane> {
    group.iter().filter_map(|party| match party {
        Party::Lane(lane) => Some(lane),
        Party::Model | Party::Outside => None,
    })
}

/// Where to look first if these groups differ in this way, and the one of that number is right.
fn suspect(groups: &[Vec<Party>], kind: Kind, right: usize) -> Suspect {
    if kind == Kind::Unstable {
        return Suspect::Unstable;
    }
    let with_lanes = groups.iter().filter(|group| lanes(group).next().is_some()).count();
    if with_lanes < 2 {
        return among_judges(groups);
    }
    let wrong = groups.iter().enumerate().filter(|(number, _)| *number != right);
    let wrong: Vec<&Lane> = wrong.flat_map(|(_, group)| lanes(group)).collect();
    among_lanes(&lanes(&groups[right]).collect::<Vec<_>>(), &wrong)
}

/// Where to look first if all lanes agree.
fn among_judges(groups: &[Vec<Party>]) -> Suspect {
    let (ours, theirs): (Vec<_>, Vec<_>) = groups.iter().partition(|group| lanes(group).next().is_some());
    if !ours.is_empty() && theirs.iter().any(|group| group.contains(&Party::Model)) {
        return Suspect::FloorOrModel;
    }
    let sides_with_us =
        ours.iter().any(|group| group.contains(&Party::Outside) || group.contains(&Party::Model));
    match (sides_with_us, theirs.iter().map(|group| group.len()).max()) {
        (_, None) => Suspect::FloorFails,
        (true, Some(_)) => Suspect::Outside,
        (false, Some(0 | 1)) => Suspect::FloorOrOutside,
        (false, Some(_)) => Suspect::Floor,
    }
}

/// Where to look first if some lanes are right and others wrong. None is right if outside engines are.
fn among_lanes(right: &[&Lane], wrong: &[&Lane]) -> Suspect {
    let all_wrong = |is: &dyn Fn(&Lane) -> bool| wrong.iter().all(|lane| is(lane));
    let some_right = |is: &dyn Fn(&Lane) -> bool| right.iter().any(|lane| is(lane));
    if all_wrong(&|lane| lane.code == Code::Loaded) && some_right(&|lane| lane.code == Code::Compiled) {
        return Suspect::Loading;
    }
    let architectures: BTreeSet<&Option<String>> = wrong.iter().map(|lane| &lane.architecture).collect();
    let elsewhere = |lane: &Lane| wrong.iter().any(|wrong| wrong.mode == lane.mode);
    if let [Some(architecture)] = *architectures.iter().copied().collect::<Vec<_>>()
        && some_right(&elsewhere)
        && !some_right(&|lane| lane.architecture.as_ref() == Some(architecture))
    {
        return Suspect::Backend(architecture.clone());
    }
    let modes: BTreeSet<&str> = wrong.iter().map(|lane| lane.mode.as_str()).collect();
    if let [mode] = *modes.iter().copied().collect::<Vec<_>>() {
        let others: Vec<&&Lane> = right.iter().filter(|lane| lane.mode == mode).collect();
        if others.is_empty() {
            return Suspect::Room;
        }
        let in_all = |switch: &&String| wrong.iter().all(|lane| lane.switches.contains(*switch));
        let in_none = |switch: &&String| !others.iter().any(|lane| lane.switches.contains(*switch));
        let switches = wrong[0].switches.iter().filter(in_all).filter(in_none);
        return Suspect::Switches(mode.to_string(), switches.cloned().collect());
    }
    if all_wrong(&|lane| lane.code != Code::Interpreted) && !right.is_empty() {
        return Suspect::Native;
    }
    Suspect::Shared(modes.into_iter().map(str::to_string).collect())
}

impl Divergence {
    /// Whether all of our modes agree, the model among them if it ran, and only outside engines differ.
    pub fn is_of_judges(&self) -> bool {
        let parties = self.parties();
        let is_ours = |group: &&Vec<Party>| lanes(group).next().is_some() || group.contains(&Party::Model);
        parties.iter().filter(is_ours).count() == 1 && parties.len() > 1
    }

    /// Where to look first.
    pub fn triage(&self) -> Suspect {
        let right = match self.first.kind {
            // However many fail, those are right that do not; they come first.
            Kind::Crash | Kind::Hang => 0,
            _ => self.right(),
        };
        suspect(&self.parties(), self.first.kind, right)
    }

    fn parties(&self) -> Vec<Vec<Party>> {
        self.groups.iter().map(|group| group.iter().map(|name| Party::of(name)).collect()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A group of subjects by their names. Names of modes that are not built yet are those of compiled modes.
    fn group(names: &str) -> Vec<Party> {
        let party = |name: &str| {
            let party = Party::of(&name.replace("optimizing", "interp"));
            match party {
                Party::Lane(lane) if name.contains("optimizing") => {
                    Party::Lane(Lane { mode: "optimizing".into(), code: Code::Compiled, ..lane })
                }
                other => other,
            }
        };
        names.split_whitespace().map(party).collect()
    }

    /// Where to look first if groups differ in their values and the first one is right.
    fn look(groups: &[&str]) -> Suspect {
        let groups: Vec<Vec<Party>> = groups.iter().map(|names| group(names)).collect();
        suspect(&groups, Kind::Values, 0)
    }

    fn switches(mode: &str, switches: &[&str]) -> Suspect {
        Suspect::Switches(mode.into(), switches.iter().map(|switch| switch.to_string()).collect())
    }

    #[test]
    fn a_subject_that_differs_from_itself_is_not_deterministic() {
        let groups = [group("interp"), group("fast-interp")];
        assert_eq!(suspect(&groups, Kind::Unstable, 0), Suspect::Unstable);
    }

    #[test]
    fn one_mode_alone_points_at_its_room() {
        assert_eq!(look(&["interp interp+no-fuel", "fast-interp"]), Suspect::Room);
        assert_eq!(look(&["fast-interp optimizing", "interp"]), Suspect::Room);
        assert_eq!(
            look(&["fast-interp optimizing", "interp+no-fuel", "interp+moving-memory"]),
            Suspect::Room
        );
    }

    #[test]
    fn compiled_modes_together_point_at_what_they_share() {
        assert_eq!(look(&["interp fast-interp", "optimizing aot"]), Suspect::Native);
        assert_eq!(look(&["interp fast-interp", "optimizing", "aot"]), Suspect::Native);
    }

    #[test]
    #[cfg(all(target_os = "linux", target_arch = "x86_64"))]
    fn two_compiled_modes_are_told_from_one() {
        assert_eq!(look(&["interp fast-interp", "baseline optimizing"]), Suspect::Native);
        assert_eq!(look(&["interp fast-interp optimizing", "baseline"]), Suspect::Room);
        assert_eq!(look(&["interp fast-interp baseline", "optimizing+no-fuel"]), Suspect::Room);
    }

    #[test]
    fn interpreters_together_point_at_what_they_share() {
        let modes = vec!["fast-interp".to_string(), "interp".to_string()];
        assert_eq!(look(&["optimizing aot", "interp fast-interp"]), Suspect::Shared(modes));
    }

    #[test]
    fn an_architecture_alone_points_at_its_backend() {
        let backend = Suspect::Backend("aarch64".into());
        assert_eq!(look(&["interp optimizing", "aarch64:optimizing"]), backend);
        assert_eq!(look(&["interp optimizing", "aarch64:optimizing aarch64:interp"]), backend);
        assert_eq!(
            look(&["interp optimizing aarch64:interp", "aarch64:optimizing"]),
            switches("optimizing", &[])
        );
    }

    #[test]
    fn some_lanes_of_a_mode_point_at_what_they_switch() {
        let lanes = [
            "interp optimizing optimizing+lazy",
            "optimizing+explicit-bounds optimizing+explicit-bounds+lazy",
        ];
        assert_eq!(look(&lanes), switches("optimizing", &["explicit-bounds"]));
        assert_eq!(
            look(&["interp fast-interp", "fast-interp+no-fuel"]),
            switches("fast-interp", &["no-fuel"])
        );
        assert_eq!(look(&["interp optimizing+lazy", "optimizing"]), switches("optimizing", &[]));
    }

    #[test]
    fn loaded_code_alone_points_at_loading() {
        assert_eq!(look(&["interp optimizing", "aot"]), Suspect::Loading);
        assert_eq!(look(&["interp", "aot"]), Suspect::Room);
    }

    #[test]
    fn outside_engines_alone_point_at_the_floor_or_at_themselves() {
        assert_eq!(look(&["interp fast-interp", "v8"]), Suspect::FloorOrOutside);
        assert_eq!(look(&["interp fast-interp", "v8 iwasm"]), Suspect::Floor);
        assert_eq!(look(&["interp fast-interp v8", "iwasm"]), Suspect::Outside);
        assert_eq!(look(&["interp fast-interp", "v8", "iwasm"]), Suspect::FloorOrOutside);
    }

    #[test]
    fn all_modes_against_the_model_point_at_the_floor_or_at_the_model() {
        assert_eq!(look(&["interp fast-interp", "model"]), Suspect::FloorOrModel);
        assert_eq!(look(&["interp fast-interp v8", "model"]), Suspect::FloorOrModel);
        assert_eq!(look(&["interp fast-interp model", "v8"]), Suspect::Outside);
        assert_eq!(look(&["fast-interp optimizing model", "interp"]), Suspect::Room);
    }

    #[test]
    fn a_difference_from_the_model_is_none_of_outside_engines_alone() {
        let divergence = |groups: &[&[&str]]| Divergence {
            groups: groups.iter().map(|group| group.iter().map(|name| name.to_string()).collect()).collect(),
            first: super::super::Difference {
                action: 0,
                kind: Kind::Values,
                place: String::new(),
                exactly: String::new(),
                left: super::super::Side::text(""),
                right: super::super::Side::text(""),
            },
        };
        assert!(!divergence(&[&["interp", "baseline"], &["model"]]).is_of_judges());
        assert!(divergence(&[&["interp", "model"], &["v8"]]).is_of_judges());
        assert_eq!(divergence(&[&["interp", "baseline"], &["model"]]).right(), 1);
        assert_eq!(divergence(&[&["interp", "baseline"], &["fast-interp"]]).right(), 0);
    }

    #[test]
    fn a_failure_of_all_points_at_the_floor() {
        assert_eq!(look(&["interp fast-interp"]), Suspect::FloorFails);
    }

    #[test]
    fn the_modes_are_told_apart_beside_outside_engines_too() {
        assert_eq!(look(&["interp fast-interp v8", "optimizing"]), Suspect::Room);
        let both = vec!["fast-interp".to_string(), "interp".to_string()];
        assert_eq!(look(&["v8 iwasm", "interp", "fast-interp"]), Suspect::Shared(both));
    }

    #[test]
    fn those_that_do_not_fail_are_right_however_few() {
        let names = |names: &[&str]| names.iter().map(|name| name.to_string()).collect::<Vec<_>>();
        let side = || super::super::Side::text("");
        let first = super::super::Difference {
            action: 0,
            kind: Kind::Crash,
            place: String::new(),
            exactly: String::new(),
            left: side(),
            right: side(),
        };
        let groups = vec![names(&["interp"]), names(&["fast-interp", "fast-interp+no-fuel", "aot"])];
        let divergence = Divergence { groups, first };
        assert_eq!(divergence.triage(), Suspect::Shared(vec!["aot".into(), "fast-interp".into()]));
    }

    #[test]
    fn a_suspect_reads_as_a_sentence() {
        assert_eq!(Suspect::Room.to_string(), "one mode alone differs: that mode's room");
        assert_eq!(
            switches("baseline", &["lazy"]).to_string(),
            "some lanes of baseline differ, and others do not: what lazy switches"
        );
        assert_eq!(
            Suspect::Shared(vec!["fast-interp".into(), "interp".into()]).to_string(),
            "fast-interp and interp differ together: what they share, and then their rooms"
        );
    }
}
