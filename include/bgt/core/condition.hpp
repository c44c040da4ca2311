#pragma once
/// What can be waited for: a table that `bgt wait --for` and readiness (`bgt run --ready-...`)
/// share. The parser, the help, the error texts and the completions follow from it. A new condition
/// is a row, what it observes, and its man page.
#include <bgt/base/result.hpp>
#include <bgt/base/time.hpp>
#include <bgt/core/http_url.hpp>
#include <bgt/core/observation.hpp>
#include <bgt/core/pattern.hpp>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>

namespace bgt::core {

struct ConditionRow;

struct Condition {
    /// What others than the table must tell apart: the end and readiness of a task, and the
    /// question of each probe.
    enum class Kind : std::uint8_t {
        other,
        exit,
        exit_zero,
        ready,
        tcp,
        http,
        unix_socket,
        file,
        command
    };

    Condition(); ///< `exit`

    const ConditionRow* row;
    bool gone = false;      ///< `gone:...`: it must NOT hold
    std::string text;       ///< host, absolute path, or command
    std::uint16_t port = 0; ///< 0: any
    HttpUrl url;
    std::optional<int> status;              ///< the only one that will do
    std::shared_ptr<const Pattern> pattern; ///< of `log` and `log-fail`
    double fraction = 0;                    ///< of `progress`, 0..1
    Duration span{};                        ///< of `quiet`
    std::uint64_t bytes = 0;                ///< of `mem`
    std::string before = "it exited";       ///< completes "the task ended before ..."

    Kind kind() const;
    bool observes(Observation) const;
    /// Its end gives the wait the exit code of the task.
    bool is_exit() const { return kind() == Kind::exit || kind() == Kind::exit_zero; }
    /// Not waited for: only a reason to give up.
    bool is_guard() const;
    /// Whether it can be a condition of `--ready-...`: what ReadyWatch can observe.
    bool can_make_ready() const;
};

/// Where a condition of one task stands. What is not open stays as it is, whatever happens later.
enum class ConditionState : std::uint8_t {
    open,
    met,
    impossible, ///< it can no longer be met
};

struct ConditionRow {
    std::string_view
        word; ///< "exit"; with an argument up to where that begins: "log:", "progress="
    std::string_view argument; ///< what follows the word: "REGEX"; empty: nothing
    Condition::Kind kind = Condition::Kind::other;
    Observations observes = {};
    std::string_view before = {}; ///< Condition::before; {} stands for the argument
    /// Reads the argument, which is not empty; what stands for {}. Null where there is none. `cwd`
    /// is what a relative path begins at.
    Result<std::string> (*parse)(Condition&, const std::string& argument,
                                 const std::string& cwd) = nullptr;
    /// By a fact of an observation that the row names. Null for a probe: its answer says it.
    ConditionState (*judge)(const Condition&, const Fact&) = nullptr;
    /// When the task is over and all else was observed. Null: it can no longer be met.
    ConditionState (*judge_end)(const Condition&, int exit_code) = nullptr;
    bool guard = false;
    bool can_be_gone = false; ///< `gone:` may stand before it
};

std::span<const ConditionRow> condition_table();

/// "exit, exit=0, ready, log:REGEX, ..." in the order of the table.
std::string condition_forms();
/// "exit", "log:", ...: what a completion offers.
std::vector<std::string> condition_words();

/// Reads one. `cwd` is what a relative path of `file:` begins at.
/// Error (usage): an unknown condition (with the list), a bad regex, port, host, URL, duration.
Result<Condition> parse_condition(const std::string& text, const std::string& cwd);

} // namespace bgt::core
