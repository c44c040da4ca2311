#include <bgt/base/signal_name.hpp>
#include <bgt/base/size.hpp>
#include <bgt/base/terminal_text.hpp>
#include <bgt/base/text.hpp>
#include <bgt/render/template.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <iterator>

namespace bgt::render {

namespace {

using ops::Snapshot;

/// What a field is made of.
struct Shown {
    const Snapshot& task;
    const Moment& now;
    const std::string& key; ///< of `{tag:KEY}`
};

std::string time_text(const std::optional<WallTime>& time)
{
    return time ? format_rfc3339(*time) : std::string();
}

std::string seconds_text(const std::optional<Duration>& d)
{
    return d ? fmt::format("{:.3f}", std::chrono::duration<double>(*d).count()) : std::string();
}

std::string progress_text(const store::Status& status)
{
    return status.progress ? fmt::format("{:.0f}%", *status.progress * 100) : std::string();
}

std::string pid_text(std::int32_t pid)
{
    return pid > 0 ? std::to_string(pid) : std::string();
}

bool has_ended(const Snapshot& task)
{
    return task.status.lifecycle == core::Lifecycle::ended;
}

std::string signal_text(const Snapshot& task)
{
    const auto& outcome = task.status.outcome;
    return outcome.kind == core::OutcomeKind::signaled ? signal_name(outcome.signal)
                                                       : std::string();
}

std::string tag_text(const Snapshot& task, const std::string& key)
{
    if (!task.spec) return {};
    const auto it = task.spec->tags.find(key);
    return it == task.spec->tags.end() ? std::string() : printable(it->second);
}

std::uint64_t lost_bytes(const store::Status& s)
{
    return s.dropped_bytes + s.freed_bytes + s.freed_err_bytes;
}

struct Field {
    std::string_view name;
    std::string (*make)(Shown);
    bool of_record = true; ///< read from the status record: empty where that is damaged
    ops::SnapshotFields needs{};
};

/// Every field, each defined once.
const Field fields[] = {
    {"id", [](Shown s) -> std::string { return store::to_string(s.task.id); }, false},
    {"name", [](Shown s) -> std::string { return printable(s.task.status.name); }},
    {"state", [](Shown s) -> std::string { return state_words(s.task).text; }, false},
    {"lifecycle", [](Shown s) -> std::string { return std::string(lifecycle_word(s.task)); }},
    {"command", [](Shown s) -> std::string { return printable(s.task.status.command); }},
    {"age",
     [](Shown s) -> std::string {
         const auto a = age(s.task.status, s.now);
         return a ? format_age(*a) : "";
     }},
    {"duration",
     [](Shown s) -> std::string { return seconds_text(run_time(s.task.status, s.now)); }},
    {"cpu",
     [](Shown s) -> std::string { return s.task.cpu ? cpu_words(*s.task.cpu) : ""; },
     true,
     {.usage = true}},
    {"mem",
     [](Shown s) -> std::string { return s.task.rss_bytes ? format_size(*s.task.rss_bytes) : ""; },
     true,
     {.usage = true}},
    {"mem_bytes",
     [](Shown s) -> std::string {
         return s.task.rss_bytes ? std::to_string(*s.task.rss_bytes) : "";
     },
     true,
     {.usage = true}},
    {"processes",
     [](Shown s) -> std::string { return std::to_string(s.task.processes); },
     true,
     {.usage = true}},
    {"ports",
     [](Shown s) -> std::string { return port_words(s.task.ports, std::string::npos); },
     true,
     {.ports = true}},
    {"exit",
     [](Shown s) -> std::string {
         return has_ended(s.task) ? std::to_string(ops::exit_code(s.task.status)) : "";
     }},
    {"outcome",
     [](Shown s) -> std::string {
         return has_ended(s.task) ? std::string(core::to_string(s.task.status.outcome.kind)) : "";
     }},
    {"reason",
     [](Shown s) -> std::string {
         return has_ended(s.task) ? std::string(core::to_string(s.task.status.outcome.reason)) : "";
     }},
    {"signal", [](Shown s) -> std::string { return signal_text(s.task); }},
    {"pid", [](Shown s) -> std::string { return pid_text(s.task.status.main_process.pid); }},
    {"supervisor",
     [](Shown s) -> std::string {
         return ops::is_final(s.task.status) ? "" : pid_text(s.task.status.supervisor.pid);
     }},
    {"last",
     [](Shown s) -> std::string { return last_line(s.task.log_tail); },
     true,
     {.log_tail = true}},
    {"progress",
     [](Shown s) -> std::string { return progress_text(s.task.status); },
     true,
     {.log_tail = true}},
    {"cwd",
     [](Shown s) -> std::string { return s.task.spec ? printable(s.task.spec->cwd) : ""; },
     false,
     {.spec = true}},
    {"kind",
     [](Shown s) -> std::string { return std::string(core::to_string(s.task.status.kind)); }},
    {"created", [](Shown s) -> std::string { return time_text(s.task.status.created); }},
    {"started", [](Shown s) -> std::string { return time_text(s.task.status.started); }},
    {"ended", [](Shown s) -> std::string { return time_text(s.task.status.ended); }},
    {"log",
     [](Shown s) -> std::string { return printable(s.task.folder) + "/" + store::file::out_log; },
     false},
    {"log_bytes",
     [](Shown s) -> std::string { return std::to_string(s.task.log_bytes); },
     true,
     {.spec = true}},
    {"dropped_bytes",
     [](Shown s) -> std::string { return std::to_string(lost_bytes(s.task.status)); }},
    {"folder", [](Shown s) -> std::string { return printable(s.task.folder); }, false},
    {"problem", [](Shown s) -> std::string { return printable(s.task.problem); }, false},
    {"tag:KEY",
     [](Shown s) -> std::string { return tag_text(s.task, s.key); },
     false,
     {.spec = true}},
};

constexpr std::string_view tag_prefix = "tag:";

/// Place in `fields`, or their number.
std::size_t find_field(std::string_view name)
{
    if (name.starts_with(tag_prefix)) name = "tag:KEY";
    const auto* found = std::find_if(std::begin(fields), std::end(fields),
                                     [&](const Field& f) { return f.name == name; });
    return static_cast<std::size_t>(found - std::begin(fields));
}

/// The character that `\c` stands for, 0 where it stands for none.
char escaped(char c)
{
    switch (c) {
    case 'n': return '\n';
    case 't': return '\t';
    case '\\': return '\\';
    default: return '\0';
    }
}

} // namespace

Result<void> Template::add_field(std::string_view name)
{
    const std::size_t field = find_field(name);
    const bool is_tag = name.starts_with(tag_prefix);
    if (field == std::size(fields) || (is_tag && name.size() == tag_prefix.size()))
        return Error::usage(fmt::format("unknown field {{{}}} in --format; there are: {}",
                                        fit(printable(name), 40), template_fields()));
    const ops::SnapshotFields& needs = fields[field].needs;
    needs_.spec |= needs.spec;
    needs_.usage |= needs.usage;
    needs_.ports |= needs.ports;
    needs_.log_tail |= needs.log_tail;
    pieces_.push_back(
        {field, is_tag ? std::string(name.substr(tag_prefix.size())) : std::string()});
    return {};
}

void Template::add_text(std::string_view text)
{
    if (pieces_.empty() || pieces_.back().field != literal) pieces_.push_back({});
    pieces_.back().text += text;
}

Result<Template> Template::parse(std::string_view text)
{
    Template out;
    while (!text.empty()) {
        const char c = text.front();
        const char next = text.size() > 1 ? text[1] : '\0';
        std::size_t taken = 2;
        if ((c == '{' || c == '}') && next == c) {
            out.add_text({&c, 1});
        } else if (c == '}') {
            return Error::usage("a } without its { in --format (}} is a plain brace)");
        } else if (c == '{') {
            const std::size_t end = text.find('}');
            if (end == std::string_view::npos)
                return Error::usage("a { without its } in --format ({{ is a plain brace)");
            if (auto added = out.add_field(text.substr(1, end - 1)); !added) return added.error();
            taken = end + 1;
        } else if (c == '\\') {
            const char meant = escaped(next);
            if (meant == '\0')
                return Error::usage("unknown escape in --format; there are \\n, \\t and \\\\");
            out.add_text({&meant, 1});
        } else {
            taken = std::min(text.find_first_of("{}\\"), text.size());
            out.add_text(text.substr(0, taken));
        }
        text.remove_prefix(taken);
    }
    return out;
}

std::string Template::apply(const Snapshot& task, const Moment& now) const
{
    std::string out;
    for (const Piece& piece : pieces_) {
        if (piece.field == literal) {
            out += piece.text;
            continue;
        }
        const Field& field = fields[piece.field];
        if (task.problem.empty() || !field.of_record) out += field.make({task, now, piece.text});
    }
    return out;
}

std::string template_fields()
{
    std::string out;
    for (const Field& field : fields) {
        if (!out.empty()) out += ' ';
        out += field.name;
    }
    return out;
}

} // namespace bgt::render
