//! `windlass config check`: every mistake of a file, or what the file comes to.

use std::path::Path;

use anstream::{eprintln, println};
use owo_colors::OwoColorize;

use crate::assemble;
use crate::cli::ConfigCommand;
use crate::config::Config;
use crate::exit::End;

pub(crate) fn config(command: ConfigCommand) -> End {
    let ConfigCommand::Check { files } = command;
    let mut end = End::Finished;
    for file in files {
        match assemble::check(&file) {
            Ok((config, tools)) => println!("{}", summary(&file, &config, &tools)),
            Err(error) => {
                end = End::Usage;
                eprintln!("{} {}", "error:".red().bold(), crate::words_of(&error).trim_end());
            }
        }
    }
    end
}

fn summary(file: &Path, config: &Config, tools: &[String]) -> String {
    let budget =
        config.budget.map_or_else(|| "no cap".to_owned(), |budget| format!("at most {budget}"));
    format!(
        "{}: ok\n  agent {} · model {} · {budget} and {} turns a run\n  tools {}",
        file.display(),
        config.agent_id,
        config.model,
        config.limits.turns_max,
        tools.join(", ")
    )
}
