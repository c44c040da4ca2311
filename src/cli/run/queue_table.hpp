#pragma once
/// The options that `bgt submit` has besides those of `bgt run`, each defined once: the command
/// line and [task.NAME] follow from this table.
#include "run_options.hpp"

#include <bgt/ops/submit.hpp>
#include <span>
#include <variant>

namespace bgt::cli {

struct QueueOptions {
    using Word = RunOptions::Word;
    using Words = RunOptions::Words;

    Word queue, priority, slots, on_dep_failure, expire, key, on_busy, array, each, batch, if_full,
        in, at, tz;
    Words needs, after;
    bool hold = false, null = false, dry_run = false;

    /// All but those `without` names.
    void declare(Parser&, std::span<const std::string_view> without = {});
    /// What the options say, but --array, --each and --batch. Error (usage): with the option's
    /// name; --at is a time that has passed.
    Result<void> apply(ops::SubmitRequest&) const;

private:
    Result<void> apply_at(ops::SubmitRequest&) const;
};

struct QueueOption {
    using Member = std::variant<bool QueueOptions::*, QueueOptions::Word QueueOptions::*,
                                QueueOptions::Words QueueOptions::*>;

    const char* names;
    Member member;
    const char* metavar = "";
    Value value = Value::text;
    bool closed = false; ///< `metavar` lists the only values there are: "kill|wait"
    const char* help = "";
    /// Reads one value (of a flag: ""). Null: the verb does.
    Result<void> (*take)(ops::SubmitRequest&, const std::string&) = nullptr;
    bool in_tables = false; ///< a [task.NAME] may say it

    std::string_view long_name() const; ///< "--queue"
    bool is_flag() const { return member.index() == 0; }
    bool is_list() const { return member.index() == 2; }
    /// The values it has been given; of a flag one empty one.
    std::vector<std::string> values(const QueueOptions&) const;
};

std::span<const QueueOption> queue_options();

} // namespace bgt::cli
