//! `report`: what runs left in folders, put together and shown. Runs nothing.

use super::{Done, Exit, Failure, show};
use crate::report::night::{State, nights, with_earlier};
use crate::report::{PAGE_FILE, Rendered, fuzz_summary, since_summary, spec_summary, write_text};
use clap::Args;
use std::path::PathBuf;

/// Options of `report`.
#[derive(Args)]
pub struct Report {
    /// Folders that runs wrote with `--report`, or folders of such folders: shards are put together, nights compared
    #[arg(default_value = "reports/latest")]
    folders: Vec<PathBuf>,
    /// Folder for what is made of them; default: the first of them
    #[arg(long, value_name = "DIR")]
    into: Option<PathBuf>,
    /// Write all of it as JSON
    #[arg(long)]
    json: Option<PathBuf>,
    /// Write the results as JUnit XML
    #[arg(long)]
    junit: Option<PathBuf>,
    /// Say more
    #[arg(short, long)]
    verbose: bool,
}

/// Failures that are printed; the page has them all.
const SHOWN_FAILURES: usize = 20;

impl Report {
    /// Prints the summary of the last night and writes the page.
    pub fn run(&self) -> Done {
        let nights = match &self.folders[..] {
            [folder] if folder.is_dir() => with_earlier(folder),
            folders => nights(folders),
        };
        let nights = nights.map_err(Failure::Usage)?;
        let (Some(night), Some(rendered)) = (nights.last(), Rendered::of(&nights)) else {
            return Ok(Exit::NothingRan);
        };
        if let Some(spec) = &night.spec {
            show(spec_summary(spec, if self.verbose { usize::MAX } else { SHOWN_FAILURES }, self.verbose));
        }
        if let Some(fuzz) = &night.fuzz {
            show(format_args!("campaign\n{}", fuzz_summary(fuzz)));
        }
        if let Some(since) = &rendered.since {
            show(since_summary(since));
        }
        let folder = self.into.as_ref().unwrap_or(&self.folders[0]);
        rendered.write(folder).map_err(Failure::Bench)?;
        for (path, text) in [(&self.json, &rendered.json), (&self.junit, &rendered.junit)] {
            if let Some(path) = path {
                write_text(path, text).map_err(Failure::Bench)?;
            }
        }
        let (word, exit) = match night.state() {
            State::Green => ("green".to_string(), Exit::Green),
            State::NotGreen => ("NOT GREEN".to_string(), Exit::Failures),
            State::Incomplete(missing) => (format!("INCOMPLETE: {missing}"), Exit::NothingRan),
            State::Empty => ("NOTHING RAN".to_string(), Exit::NothingRan),
        };
        show(format_args!("{word}; page in {}", folder.join(PAGE_FILE).display()));
        Ok(exit)
    }
}
