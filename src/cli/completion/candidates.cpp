#include "completion/completion.hpp"

#include "run/limits.hpp"

#include <algorithm>
#include <bgt/base/signal_name.hpp>
#include <bgt/base/text.hpp>
#include <bgt/cli/verb.hpp>
#include <bgt/config/settings.hpp>
#include <bgt/core/condition.hpp>
#include <bgt/ops/list.hpp>
#include <bgt/ops/settings.hpp>
#include <set>

namespace bgt::cli {

namespace {

constexpr std::size_t max_tasks = 200;
constexpr std::size_t widest_text = 60;
constexpr std::size_t max_candidate_size = 512;

VerbShape shape_of(const VerbInfo& info)
{
    const auto verb = info.make();
    Places places;
    Parser parser(std::string(info.name), std::string(info.summary), std::string(info.synopsis));
    verb->declare(parser);
    declare_places(parser, places);
    return {std::string(info.name), std::string(info.summary), parser.options(),
            parser.takes_words(),   parser.first_word_value(), parser.words_value()};
}

/// A candidate is a line of text that a person sees as it is, or it is none: the shells would show
/// it, and put it on their line.
bool is_offered(const std::string& candidate)
{
    return candidate.size() <= max_candidate_size && printable(candidate) == candidate;
}

void add_task(std::string& out, const store::Root& root, store::TaskId id, Candidates kind,
              std::set<std::string>& seen)
{
    const auto task = root.open_task(id);
    if (!task) return;
    if (kind == Candidates::tags) {
        const auto spec = store::read_spec(task->fd());
        if (!spec) return;
        for (const auto& [key, value] : spec->tags)
            if (const auto tag = key + "=" + value; is_offered(tag) && seen.insert(tag).second)
                out += tag + "\n";
        return;
    }
    const auto status = store::read_status(task->fd());
    if (!status) return;
    const auto text = "\t" + fit(printable(status->command), widest_text) + "\n";
    const auto& name = status->name; // valid, or the record could not be read
    if (!name.empty() && seen.insert(name).second) out += name + text;
}

/// The ids follow the names: a name is what a person remembers.
void add_id(std::string& out, const store::Root& root, store::TaskId id)
{
    const auto task = root.open_task(id);
    if (!task) return;
    if (const auto status = store::read_status(task->fd()))
        out += to_string(id) + "\t" + fit(printable(status->command), widest_text) + "\n";
}

} // namespace

std::vector<VerbShape> verb_shapes()
{
    std::vector<VerbShape> out;
    for (const auto& info : verbs()) out.push_back(shape_of(info));
    out.push_back(
        {"help", "print what a verb does, and its options", {}, true, Value::verb, Value::text});
    return out;
}

std::optional<Candidates> candidate_kind(std::string_view word)
{
    if (word == "task-list") return Candidates::tasks;
    if (word == "living-list") return Candidates::living;
    if (word == "name-list") return Candidates::names;
    if (word == "tag-list") return Candidates::tags;
    return std::nullopt;
}

std::string candidates(const store::Root& root, Candidates kind)
{
    std::string out;
    std::set<std::string> seen;
    auto ids = kind == Candidates::living ? root.active_ids() : root.all_ids();
    if (!ids) return out;
    std::reverse(ids->begin(), ids->end());
    if (ids->size() > max_tasks) ids->resize(max_tasks);
    for (const auto id : *ids) add_task(out, root, id, kind, seen);
    if (kind == Candidates::tasks || kind == Candidates::living)
        for (const auto id : *ids) add_id(out, root, id);
    return out;
}

namespace {

/// "kill", "report", "exec:" of "kill|report|exec:CMD"; nothing of "N|M".
std::vector<std::string> literal_words(std::string_view metavar)
{
    std::vector<std::string> out;
    while (!metavar.empty()) {
        const auto part = metavar.substr(0, metavar.find('|'));
        metavar.remove_prefix(std::min(part.size() + 1, metavar.size()));
        const auto colon = part.find(':');
        const auto word = colon == std::string_view::npos ? part : part.substr(0, colon + 1);
        const auto is_literal = [](char c) {
            return (c >= 'a' && c <= 'z') || c == '-' || c == ':';
        };
        if (std::all_of(word.begin(), word.end(), is_literal)) out.emplace_back(word);
    }
    return out;
}

/// Names and tags that only the state root knows, by the word of `bgt completion` that asks for
/// them.
ValueCompletion known(const std::string& word)
{
    return {.bash = "@" + word,
            .zsh = " _bgt_known " + word,
            .fish = " -k -a '(__bgt_known " + word + ")'"};
}

ValueCompletion one_of(std::vector<std::string> words)
{
    return {.words = std::move(words)};
}

std::vector<std::string> signal_words()
{
    std::vector<std::string> out;
    for (const int number : {1, 2, 3, 10, 12, 15, 9, 18, 19, 28})
        out.push_back(signal_name(number).substr(3));
    return out;
}

std::vector<std::string> limit_words()
{
    std::vector<std::string> out;
    for (const auto& name : limit_names()) out.push_back(name + "=");
    return out;
}

std::vector<std::string> verb_words()
{
    std::vector<std::string> out;
    for (const auto& verb : verbs()) out.emplace_back(verb.name);
    return out;
}

} // namespace

ValueCompletion completion_of(Value value)
{
    switch (value) {
    case Value::task: return known("task-list");
    case Value::living_task: return known("living-list");
    case Value::task_name: return known("name-list");
    case Value::tag: return known("tag-list");
    case Value::file: return {.bash = "@file", .zsh = "_files", .fish = " -F"};
    case Value::folder:
        return {.bash = "@directory",
                .zsh = "_files -/",
                .fish = " -a '(__fish_complete_directories)'"};
    case Value::command: return {.bash = "@command"};
    case Value::pid: return {.zsh = "_pids", .fish = " -a '(__fish_complete_pids)'"};
    case Value::signal: return one_of(signal_words());
    case Value::shell: return one_of({"bash", "zsh", "fish"});
    case Value::condition: return one_of(core::condition_words());
    case Value::state:
        return one_of({std::begin(ops::state_filters), std::end(ops::state_filters)});
    case Value::limit: return one_of(limit_words());
    case Value::setting: return one_of(ops::setting_keys());
    case Value::verb: return one_of(verb_words());
    case Value::text:
    case Value::number:
    case Value::duration:
    case Value::size:
    case Value::regex: break;
    }
    return {};
}

ValueCompletion completion_of(const OptionInfo& info)
{
    const auto choices = info.choices();
    if (!choices.empty()) return one_of({choices.begin(), choices.end()});
    const bool free_text = info.value == Value::text || info.value == Value::number;
    if (free_text && info.metavar.find('|') != std::string_view::npos)
        return one_of(literal_words(info.metavar));
    return completion_of(info.value);
}

} // namespace bgt::cli
