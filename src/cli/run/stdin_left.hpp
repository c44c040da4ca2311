#pragma once

namespace bgt::cli {

/// Whether somebody has sent this program something that it has not read: by a pipe, or a shell's
/// here-document. A file that was redirected is no such thing, as a loop that reads it may have
/// started this program.
bool has_unread_input();

} // namespace bgt::cli
