#pragma once
/// What is known of commands: those that run until they are stopped (development servers,
/// databases, watchers) decide the kind of a task where nothing else does; those that end their
/// children themselves decide who gets the stop signals.
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace bgt::config {

struct KnownService {
    std::string_view name; ///< "vite"
    std::string_view
        programs; ///< the names it goes by, between blanks; a regex is compiled for these only
    std::string_view match;  ///< RE2, searched in the bare command line (see bare_command); empty:
                             ///< whatever its arguments
    std::string_view unless; ///< RE2; where it matches too, the command ends by itself ("vite
                             ///< build"); empty: none
};

std::span<const KnownService> known_services();

/// The first that matches, or nullptr. Costs a microsecond for any other program.
const KnownService* find_service(const std::vector<std::string>& command);

/// Programs that pass a stop signal on to their children, or end them in their own order: a signal
/// to all of them at once would cut that off.
std::span<const KnownService> known_forwarders();
/// As find_service().
const KnownService* find_forwarder(const std::vector<std::string>& command);

/// What is left of the words when all that only wraps a command is taken off: `env A=1`, `nohup`,
/// `npx`, `poetry run`, `python3.11 -m`, folders, `sh -c` (of several commands the last, of a pipe
/// the first). Empty: nothing is, or the text of the shell is no plain command. "/usr/bin/env
/// PORT=1 npx -y vite@5 --host" -> {"vite", "--host"}.
std::vector<std::string> bare_command(const std::vector<std::string>& command);

} // namespace bgt::config
