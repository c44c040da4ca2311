#include "queue_table.hpp"

#include "run_table.hpp"

#include <bgt/base/size.hpp>
#include <bgt/base/text.hpp>
#include <bgt/ops/moment.hpp>
#include <bgt/render/words.hpp>
#include <bgt/store/queue_settings.hpp>

#include <algorithm>
#include <array>

namespace bgt::cli {

namespace {

using O = QueueOptions;
using Request = ops::SubmitRequest;

Result<core::Amount> parse_need(const std::string& text)
{
    const auto equals = text.find('=');
    const std::string name = text.substr(0, equals);
    if (auto valid = store::check_queue_name(name); !valid)
        return Error::usage("'" + fit(printable(name), 40) + "' is no name of a resource");
    if (equals == text.npos) return core::Amount{name, 1};
    BGT_TRY_ASSIGN(const std::uint64_t amount, parse_size(text.substr(equals + 1)));
    return core::Amount{name, amount};
}

Result<void> take_queue(Request& request, const std::string& text)
{
    BGT_TRY(store::check_queue_name(text));
    request.how.queue = text;
    return {};
}

Result<void> take_priority(Request& request, const std::string& text)
{
    BGT_TRY_ASSIGN(request.priority, parse_int(text, -1'000'000, 1'000'000));
    return {};
}

Result<void> take_slots(Request& request, const std::string& text)
{
    BGT_TRY_ASSIGN(const int slots, parse_int(text, 0, 1'000'000));
    request.how.slots = static_cast<std::uint32_t>(slots);
    return {};
}

Result<void> take_need(Request& request, const std::string& text)
{
    for (const std::string& part : split(text, ',')) {
        BGT_TRY_ASSIGN(const core::Amount need, parse_need(part));
        request.how.needs.push_back(need);
    }
    return {};
}

Result<void> take_after(Request& request, const std::string& text)
{
    for (const std::string& part : split(text, ',')) {
        BGT_TRY_ASSIGN(const ops::DependencyWord word, ops::parse_dependency(part));
        request.after.push_back(word);
    }
    return {};
}

/// The command line knows the words of a closed option; a file may hold any.
Result<void> one_of(const std::string& text, std::initializer_list<std::string_view> words)
{
    std::string all;
    for (const std::string_view word : words) {
        if (word == text) return {};
        all += (all.empty() ? "" : ", ") + std::string(word);
    }
    return Error::usage("'" + fit(printable(text), 40) + "' is none of " + all);
}

Result<void> take_on_failure(Request& request, const std::string& text)
{
    BGT_TRY(one_of(text, {"skip", "hold"}));
    request.how.hold_on_failure = text == "hold";
    return {};
}

Result<void> take_hold(Request& request, const std::string&)
{
    request.how.held = true;
    return {};
}

Result<void> take_expire(Request& request, const std::string& text)
{
    BGT_TRY_ASSIGN(request.expire_after, parse_duration(text));
    return {};
}

Result<void> take_in(Request& request, const std::string& text)
{
    BGT_TRY_ASSIGN(const Duration time, parse_duration(text));
    request.how.not_before = render::Moment::now().wall + time;
    return {};
}

Result<void> take_key(Request& request, const std::string& text)
{
    request.how.key = text;
    return {};
}

Result<void> take_on_busy(Request& request, const std::string& text)
{
    BGT_TRY(one_of(text, {"wait", "skip", "replace", "latest"}));
    for (const auto& [word, value] : {std::pair{"wait", ops::OnBusy::wait},
                                      {"skip", ops::OnBusy::skip},
                                      {"replace", ops::OnBusy::replace},
                                      {"latest", ops::OnBusy::latest}})
        if (text == word) request.on_busy = value;
    return {};
}

Result<void> take_if_full(Request& request, const std::string& text)
{
    request.wait_if_full = text == "wait";
    return {};
}

constexpr std::array table{
    QueueOption{.names = "-q,--queue",
                .member = &O::queue,
                .metavar = "NAME",
                .help = "the queue to wait in (default)",
                .take = take_queue,
                .in_tables = true},
    QueueOption{.names = "--priority",
                .member = &O::priority,
                .metavar = "N",
                .value = Value::number,
                .help = "higher ones start first (0)",
                .take = take_priority,
                .in_tables = true},
    QueueOption{.names = "--slots",
                .member = &O::slots,
                .metavar = "N",
                .value = Value::number,
                .help = "slots of the queue that it takes (1)",
                .take = take_slots,
                .in_tables = true},
    QueueOption{.names = "--need",
                .member = &O::needs,
                .metavar = "NAME=N",
                .help = "what it takes of a named resource: gpu=1, mem=8GiB",
                .take = take_need,
                .in_tables = true},
    QueueOption{.names = "--after",
                .member = &O::after,
                .metavar = "TASK[:COND]",
                .value = Value::task,
                .help =
                    "start after another task: ok (its exit code is 0), fail, any, start or ready",
                .take = take_after,
                .in_tables = true},
    QueueOption{.names = "--on-dep-failure",
                .member = &O::on_dep_failure,
                .metavar = "skip|hold",
                .closed = true,
                .help = "when it can't start any more because of --after (skip)",
                .take = take_on_failure,
                .in_tables = true},
    QueueOption{.names = "--hold",
                .member = &O::hold,
                .help = "do not start it before bgt release",
                .take = take_hold,
                .in_tables = true},
    QueueOption{.names = "--expire",
                .member = &O::expire,
                .metavar = "D",
                .value = Value::duration,
                .help = "never start it if it has waited for longer",
                .take = take_expire,
                .in_tables = true},
    QueueOption{.names = "--in",
                .member = &O::in,
                .metavar = "D",
                .value = Value::duration,
                .help = "do not start it before that much time has passed",
                .take = take_in},
    QueueOption{.names = "--at",
                .member = &O::at,
                .metavar = "TIME",
                .help = "do not start it before that time: 18:00, '2026-12-24 18:00'"},
    QueueOption{.names = "--tz",
                .member = &O::tz,
                .metavar = "ZONE",
                .help = "the time zone of --at, such as Europe/Berlin"},
    QueueOption{.names = "--key",
                .member = &O::key,
                .metavar = "KEY",
                .help = "run at most one task with this key at once",
                .take = take_key,
                .in_tables = true},
    QueueOption{.names = "--on-busy",
                .member = &O::on_busy,
                .metavar = "wait|skip|replace|latest",
                .closed = true,
                .help = "when a task with the same --key waits or runs (wait)",
                .take = take_on_busy,
                .in_tables = false},
    QueueOption{.names = "--array",
                .member = &O::array,
                .metavar = "A-B[:STEP][%N]",
                .help = "a task for each number, {} and $BGT_ARRAY_INDEX stand for it; N at once"},
    QueueOption{.names = "--each",
                .member = &O::each,
                .metavar = "FILE",
                .value = Value::file,
                .help = "a task for each line of the file (- is stdin), {} stands for it"},
    QueueOption{.names = "-0,--null",
                .member = &O::null,
                .help = "the parts of --each end with a NUL byte"},
    QueueOption{.names = "--batch",
                .member = &O::batch,
                .metavar = "FILE",
                .value = Value::file,
                .help = "a task for each line of JSON in the file (- is stdin)"},
    QueueOption{.names = "--if-full",
                .member = &O::if_full,
                .metavar = "fail|wait",
                .closed = true,
                .help = "when the queue has no room (fail)",
                .take = take_if_full},
    QueueOption{.names = "--dry-run",
                .member = &O::dry_run,
                .help = "submit nothing, and print what would be"},
};

} // namespace

std::span<const QueueOption> queue_options()
{
    return table;
}

std::string_view QueueOption::long_name() const
{
    const std::string_view all = names;
    return all.substr(all.find("--"));
}

std::vector<std::string> QueueOption::values(const QueueOptions& options) const
{
    if (const auto* flag = std::get_if<0>(&member))
        return options.*(*flag) ? std::vector<std::string>{""} : std::vector<std::string>{};
    if (const auto* many = std::get_if<2>(&member)) return options.*(*many);
    const auto& word = options.*std::get<1>(member);
    return word ? std::vector{*word} : std::vector<std::string>{};
}

void QueueOptions::declare(Parser& parser, std::span<const std::string_view> without)
{
    parser.group("Queue");
    for (const QueueOption& option : queue_options()) {
        if (std::ranges::find(without, option.long_name()) != without.end()) continue;
        if (const auto* flag = std::get_if<0>(&option.member)) {
            parser.flag(option.names, this->*(*flag), option.help);
        } else if (const auto* many = std::get_if<2>(&option.member)) {
            parser.list(option.names, this->*(*many), option.metavar, option.value, option.help);
        } else {
            auto& word = this->*std::get<1>(option.member);
            if (option.closed) parser.choice(option.names, word, option.metavar, option.help);
            else parser.option(option.names, word, option.metavar, option.value, option.help);
        }
    }
}

Result<void> QueueOptions::apply(ops::SubmitRequest& request) const
{
    for (const QueueOption& option : queue_options()) {
        if (option.take == nullptr) continue;
        for (const std::string& value : option.values(*this))
            if (auto taken = option.take(request, value); !taken)
                return Error::usage(std::string(option.long_name()) + ": " + taken.error().message);
    }
    return apply_at(request);
}

Result<void> QueueOptions::apply_at(ops::SubmitRequest& request) const
{
    if (at && in) return Error::usage("--in and --at exclude each other");
    if (!at) return tz ? Error::usage("--tz belongs to --at") : Result<void>();
    if (const auto known = ops::check_zone(tz.value_or("")); !known)
        return Error::usage("--tz: " + known.error().message);
    const auto time = ops::parse_start_time(*at, render::Moment::now().wall, tz.value_or(""));
    if (!time) return Error::usage("--at: " + time.error().message);
    request.how.not_before = *time;
    return {};
}

} // namespace bgt::cli
