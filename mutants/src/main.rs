//! Draws small faults by lot from the bench's own source, and says which of them the bench finds.
//!
//! `crosscheck faults` knows faults that its makers thought of. Here they are made from the source itself: a condition
//! negated, a statement skipped, an arm of a `match` taken for its neighbour. All that are drawn are written into one
//! copy of the workspace, each behind a number, so that one build serves hundreds of them; then the bench runs with one
//! after the other switched on, and what it says is added up by room.

mod draw;
mod find;
mod hunt;
mod mutant;
mod room;
mod score;
mod tree;

use clap::Parser;
use hunt::Hunt;
use mutant::Mutant;
use room::Room;
use score::{Argument, Row, Score};
use serde::Serialize;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tree::Tree;

/// Draws faults from the bench's own source by lot, and says which of them the bench finds.
#[derive(Parser)]
struct Options {
    /// What is drawn
    #[arg(long, required_unless_present = "again")]
    seed: Option<u64>,
    /// How many mutants, as many from each room
    #[arg(long, default_value_t = 150)]
    drawn: usize,
    /// Only this room: interp, fast-interp, baseline, native, floor, harness
    #[arg(long)]
    room: Option<Room>,
    /// Only these numbers of the draw
    #[arg(long, value_delimiter = ',')]
    only: Vec<usize>,
    /// Cases of the campaign for each
    #[arg(long, default_value_t = 20_000)]
    cases: u64,
    /// Cases of the campaign for what neither that campaign nor the suite finds
    #[arg(long, default_value_t = 100_000)]
    more: u64,
    /// What the campaigns' cases derive from
    #[arg(long, default_value_t = 1)]
    campaign_seed: u64,
    /// CPU seconds of a campaign or the suite; what takes longer is killed, and counts as noticed
    #[arg(long, default_value_t = 300)]
    budget: u64,
    /// Run the suite also for what the campaign has found
    #[arg(long)]
    both: bool,
    /// Mutants at once; default: one a core
    #[arg(long)]
    jobs: Option<usize>,
    /// Look for the mutants that were built last once more, whatever the seed and the source are now
    #[arg(long, conflicts_with_all = ["seed", "drawn", "room"])]
    again: bool,
    /// Only list what is drawn
    #[arg(long)]
    list: bool,
    /// Fail below this share of those that can be found, in percent
    #[arg(long, default_value_t = 0.0)]
    least: f64,
    /// Write the rows as JSON
    #[arg(long)]
    json: Option<PathBuf>,
    /// Where the mutated copy is built
    #[arg(long, default_value = "target/mutants")]
    folder: PathBuf,
}

fn main() -> ExitCode {
    match run(&Options::parse()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(message) => {
            say(&format!("error: {message}"));
            ExitCode::from(2)
        }
    }
}

/// Prints a line.
#[allow(clippy::print_stdout)]
fn say(line: &str) {
    println!("{line}");
}

fn run(options: &Options) -> Result<bool, String> {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace");
    let text = room::read(&source.join("mutants/arguments.toml"))?;
    let arguments = score::arguments(&text).map_err(|error| format!("mutants/arguments.toml: {error}"))?;
    let folder = std::path::absolute(&options.folder).map_err(|error| error.to_string())?;
    let list = folder.join("drawn.json");
    let (program, mutants) = match options.seed {
        None => (Tree::program(&folder.join("tree")), earlier(&list)?),
        Some(seed) => {
            let mut tree = Tree::copy(source, &folder.join("tree"))?;
            let mutants = drawn(options, seed, source, &mut tree)?;
            if !options.list {
                tree.build()?;
                write_json(&list, &mutants)?;
            }
            (Tree::program(&folder.join("tree")), mutants)
        }
    };
    if options.list {
        for (number, mutant) in mutants.iter().enumerate() {
            say(&format!("{number:>4} {:<12} {mutant}", mutant.room.name()));
        }
        return Ok(true);
    }
    let hunt = Hunt {
        program,
        folder: folder.join("runs"),
        seed: options.campaign_seed,
        cases: options.cases,
        more: options.more,
        budget: Duration::from_secs(options.budget),
        both: options.both,
    };
    hunt.expect_green()?;
    let rows = hunted(options, &hunt, &mutants, &arguments)?;
    if rows.is_empty() {
        return Err("no mutant was looked for: none is drawn, or `--only` names none of them".into());
    }
    say("");
    for row in rows.iter().filter(|row| !row.hunted.is_found()) {
        let reached = if row.hunted.reached { "executed" } else { "not executed" };
        let why = row.unreachable.as_deref().map_or(String::new(), |why| format!(": {why}"));
        say(&format!("not found, {reached}: {:>4} {}{why}", row.number, row.mutant));
    }
    say(&format!("\n{}\nmedian CPU seconds to find: {:.1}", score::table(&rows), score::median_cpu(&rows)));
    if let Some(path) = &options.json {
        write_json(path, &rows)?;
    }
    Ok(Score::of(&rows, None).percent() >= options.least)
}

/// The mutants that were built last. Fails if none were.
fn earlier(list: &Path) -> Result<Vec<Mutant>, String> {
    serde_json::from_str(&room::read(list)?).map_err(|error| format!("{}: {error}", list.display()))
}

fn write_json(path: &Path, value: &impl Serialize) -> Result<(), String> {
    let fails = |error: &dyn std::fmt::Display| format!("{}: {error}", path.display());
    let text = serde_json::to_string_pretty(value).map_err(|error| fails(&error))?;
    std::fs::write(path, text).map_err(|error| fails(&error))
}

/// The mutants of the draw that compile, written into the copy.
fn drawn(options: &Options, seed: u64, source: &Path, tree: &mut Tree) -> Result<Vec<Mutant>, String> {
    let fields = draw::fields(source)?;
    let rooms: Vec<Room> =
        Room::ALL.into_iter().filter(|room| options.room.is_none_or(|only| only == *room)).collect();
    let each = options.drawn.div_ceil(rooms.len());
    let mut shuffled = Vec::new();
    for room in rooms {
        let (files, left_out) = room.files(source)?;
        let all = draw::all(source, room, &files, &fields)?;
        say(&format!("{}: {} mutants of {} files to draw from", room.name(), all.len(), files.len()));
        for (why, count) in left_out {
            say(&format!("  {count} files left out: {why}"));
        }
        shuffled.push(draw::shuffled(all, room, seed));
    }
    let mut spoilt = Vec::new();
    loop {
        let rooms = shuffled.iter().map(|mutants| draw::apart(mutants, each, &spoilt).into_iter());
        let chosen = in_turn(rooms.collect());
        tree.write(source, &chosen)?;
        let bad = tree.spoilt()?;
        if bad.is_empty() {
            return Ok(chosen);
        }
        say(&format!("{} of {} drawn do not compile; others are drawn", bad.len(), chosen.len()));
        spoilt.extend(bad.into_iter().map(|number| chosen[number].clone()));
    }
}

/// One of each list after the other, so that a search that is stopped has looked into every room.
fn in_turn<T>(mut lists: Vec<impl Iterator<Item = T>>) -> Vec<T> {
    let mut all = Vec::new();
    loop {
        let before = all.len();
        lists.iter_mut().for_each(|list| all.extend(list.next()));
        if all.len() == before {
            return all;
        }
    }
}

/// Looks for each of them, several at once, and says of each as it ends what became of it.
fn hunted(
    options: &Options,
    hunt: &Hunt,
    mutants: &[Mutant],
    arguments: &[Argument],
) -> Result<Vec<Row>, String> {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let next = AtomicUsize::new(0);
    let rows: Mutex<Vec<Result<Row, String>>> = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..options.jobs.unwrap_or(cores) {
            scope.spawn(|| {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    let Some(mutant) = mutants.get(number) else { return };
                    if !options.only.is_empty() && !options.only.contains(&number) {
                        continue;
                    }
                    let row = hunt.hunt(number).map(|hunted| row(number, mutant, hunted, arguments));
                    if let Ok(row) = &row {
                        say(&described(row));
                    }
                    rows.lock().expect("no thread panics with the rows").push(row);
                }
            });
        }
    });
    let rows = rows.into_inner().expect("no thread panics with the rows");
    let mut rows = rows.into_iter().collect::<Result<Vec<Row>, String>>()?;
    rows.sort_by_key(|row| row.number);
    Ok(rows)
}

fn row(number: usize, mutant: &Mutant, hunted: hunt::Hunted, arguments: &[Argument]) -> Row {
    let argument = arguments.iter().find(|argument| argument.is_about(mutant));
    let unreachable = argument.filter(|_| !hunted.is_found()).map(|argument| argument.why.clone());
    Row { number, mutant: mutant.clone(), hunted, unreachable }
}

fn described(row: &Row) -> String {
    let said = |name: &str, said: Option<&hunt::Said>| {
        said.map_or(String::new(), |said| {
            format!(" {name} {:?} {:.1} s", said.how, said.cpu_s).to_lowercase()
        })
    };
    let hunted = &row.hunted;
    let parts = [
        said("campaign", Some(&hunted.campaign)),
        said("check", hunted.check.as_ref()),
        said("more", hunted.more.as_ref()),
    ];
    format!("{:>4} {:<12}{} | {}", row.number, row.mutant.room.name(), parts.concat(), row.mutant)
}
