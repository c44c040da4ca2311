#pragma once
/// What several operations have in common.
#include <bgt/api/operation.hpp>
#include <bgt/ops/select.hpp>
#include <bgt/ops/snapshot.hpp>
#include <boost/json/object.hpp>

namespace bgt::api {

inline constexpr std::size_t tail_bytes = 2048; ///< of an answer that was not asked for more
inline constexpr std::size_t line_bytes = 500;  ///< of one line there

Duration to_duration(double seconds);

/// The task that the field `id` names.
Result<store::TaskId> named_task(const Call&);
/// `ids`, or with `mine` all living tasks of the caller. Error (usage): neither, or both.
Result<ops::Selection> selected_tasks(const Call&);

/// What a task has said.
struct Output {
    std::string text;
    std::uint64_t cursor = 0;  ///< behind it
    std::uint64_t skipped = 0; ///< bytes before it that were left out
    bool end = false;          ///< nothing comes after it any more
};
struct OutputWish {
    std::optional<std::uint64_t> from = {}; ///< nullopt: its end
    std::size_t max_bytes = tail_bytes;
    std::size_t line_max = line_bytes;
    std::optional<std::string> grep = {};
};
/// Rendered, without escape sequences.
Result<Output> read_output(const Call&, store::TaskId, const OutputWish&);
/// The same, once there is some of it, at the end of the log, or after that time.
Result<Output> read_waiting(const Call&, store::TaskId, OutputWish, Duration);
Result<std::uint64_t> log_size(const Call&, store::TaskId);

/// The unfinished last line of a text: what a program asks.
std::string prompt_in(std::string_view text);

/// The answer of `run` and `restart` about a task as it is now.
Result<boost::json::object> start_answer(const Call&, store::TaskId, bool prompts);

/// Waits as `run` and `restart` do: until it is ready (where it has conditions for that), or ended.
Result<void> await_started(const Call&, store::TaskId, bool has_ready, Duration);

/// command, argv, cwd, env, name, timeout_s: of `run` and `submit`. Error (usage).
Result<StartWords> start_words(const Call&);
/// The scopes around a task that is to end with the caller or to outlive it; `env` is told too.
core::ScopeChain put_scopes(const Call&, std::vector<std::string>& env);
/// bash in place of sh, where there is one.
void prefer_bash(store::TaskSpec&);

} // namespace bgt::api
