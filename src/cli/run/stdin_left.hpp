#pragma once

namespace bgt::cli {

/// Whether somebody has given this program something to read that it has not read: by a pipe, a
/// socket, a here-document, or a file. A file that somebody has read from is no such thing: the
/// loop, or the shell, that reads it may have started this program.
bool has_unread_input();

} // namespace bgt::cli
