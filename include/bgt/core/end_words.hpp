#pragma once
/// How a task ended, in the words that people read. Every table, message and page takes them from
/// here.
#include <bgt/core/task.hpp>
#include <string>

namespace bgt::core {

/// "exit 3", "SIGTERM", "lost", "failed to start", "not started": what its main process did. "not
/// ended" of one that has not.
std::string end_word(const Outcome&);
/// With who ended it, where it did not end by itself: "exit 3", "SIGKILL, timeout", "lost".
std::string end_words(const Outcome&);
/// The same as a predicate: "ended (exit 3)", "ended (SIGKILL, timeout)", "ended (lost)".
std::string ended_words(const Outcome&);

} // namespace bgt::core
