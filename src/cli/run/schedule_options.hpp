#pragma once
/// When something runs again and again: the options of `bgt schedule add` and `edit`.
#include <bgt/cli/parser.hpp>
#include <bgt/ops/schedules.hpp>

namespace bgt::cli {

struct ScheduleOptions {
    using Word = std::optional<std::string>;

    Word every, cron, calendar, missed, missed_within, overlap, jitter, until, times;
    Word tz; ///< declared by the verb, as other words take it, too

    void declare(Parser&);
    bool is_any_set() const;
    /// By its key in a table: "missed_within"; null: there is none.
    Word* by_key(std::string key);
    static std::vector<std::string> keys();
    /// One of --every, --cron and --calendar, as store::Scheduled has it; nullopt: none. Error
    /// (usage): more than one, or a mistake in it.
    Result<std::optional<std::string>> when() const;
    /// Changes what the other options say. Error (usage): with the option's name.
    Result<void> apply(core::SchedulePolicy&) const;
};

} // namespace bgt::cli
