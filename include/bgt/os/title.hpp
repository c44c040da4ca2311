#pragma once
/// What other users see of a process of ours in /proc/PID/cmdline, which everybody may read.
#include <string>
#include <string_view>

namespace bgt::os {

/// Where this program's arguments are, for hide_arguments(). Before anything is forked.
void remember_arguments(int argc, char** argv);

/// Overwrites them with the title, cut to their size: `bgt run --env TOKEN=...` must not stand in
/// every `ps` for as long as the supervisor that came of it lives. Does nothing where they are not
/// known.
void hide_arguments(std::string_view title);

/// The same, and the name of the process (man 5 proc, comm), cut to 15 bytes.
void set_title(const std::string& title);

} // namespace bgt::os
