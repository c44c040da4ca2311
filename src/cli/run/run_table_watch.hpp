#pragma once
/// The rows of the table of run_table.cpp about `--watch`. In a bgt.toml they need trust, as they
/// have the command executed more often than its user asked for.
#include "run_table.hpp"
#include <array>

namespace bgt::cli {

inline constexpr std::array watch_options{
    RunOption{.names = "--watch",
              .member = &RunOptions::watch,
              .metavar = "GLOB",
              .value = Value::file,
              .help = "start it again when a file changes that matches, such as 'src/**/*.{c,h}' "
                      "or src; what .gitignore ignores does not count",
              .take = take::watch,
              .print = print::watch,
              .in_rules = InRules::trusted,
              .group = "Watching files"},
    RunOption{.names = "--watch-ignore",
              .member = &RunOptions::watch_ignore,
              .metavar = "GLOB",
              .help = "files that do not count, as a line of .gitignore",
              .take = take::watch_ignore,
              .in_rules = InRules::trusted},
    RunOption{.names = "--debounce",
              .member = &RunOptions::debounce,
              .metavar = "D",
              .value = Value::duration,
              .help = "changes count together until none has come for D (default 100ms)",
              .take = take::debounce,
              .print = print::debounce,
              .in_rules = InRules::trusted},
    RunOption{.names = "--on-change",
              .member = &RunOptions::on_change,
              .metavar = "restart|queue|signal:NAME|ignore-while-busy",
              .help = "what a change does while it runs: stop it and start it again (default for "
                      "services), start it again once it has ended (for jobs), send a signal, or "
                      "nothing",
              .take = take::on_change,
              .print = print::on_change,
              .in_rules = InRules::trusted},
};

} // namespace bgt::cli
