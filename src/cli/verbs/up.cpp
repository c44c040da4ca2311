#include "answer.hpp"
#include "known_alerts.hpp"
#include "run/task_tables.hpp"

#include <bgt/base/terminal_text.hpp>
#include <bgt/base/text.hpp>
#include <bgt/cli/verb.hpp>
#include <bgt/ops/up.hpp>
#include <bgt/render/json.hpp>

#include <boost/json.hpp>
#include <cerrno>
#include <unistd.h>

namespace bgt::cli {

namespace {

using Act = ops::UpOne::Act;
using State = ops::UpReadiness::State;

constexpr std::size_t tail_lines = 5;

class Up final : public Verb {
public:
    void declare(Parser&) override;
    int run(Context&) override;

private:
    int wait(Context&, store::Root&, const ops::UpAnswer&, boost::json::object&) const;
    int finish(Context&, boost::json::object answer, int code) const;

    std::vector<std::string> names_;
    bool recreate_ = false, wait_ = false, json_ = false;
    std::optional<std::string> timeout_;
    std::optional<Duration> wait_limit_;
};

void Up::declare(Parser& parser)
{
    parser.words(names_, "NAME", Value::text);
    parser.flag("--recreate", recreate_,
                "end those whose table has changed since they were started, and start them anew");
    parser.flag("--wait", wait_,
                "wait until all are ready: exit with 0, or with 121, 120 or 123 if one never will "
                "be, as bgt run --wait-ready does");
    parser.option("--timeout", timeout_, "D", Value::duration,
                  "with --wait: give up after D with exit code 124; the tasks keep running");
    parser.flag("--json", json_, "print the answer as JSON");
    parser.example("bgt up");
    parser.example("bgt up --wait --timeout 1m");
    parser.example("bgt up --recreate web");
}

/// "db:ready"
std::string after_words(const ops::UpOne& one)
{
    std::string text;
    for (const auto& after : one.after)
        text +=
            (text.empty() ? "" : ", ") + after.task + ":" + std::string(core::to_string(after.on));
    return text;
}

/// For a terminal: they may be of a record.
std::string joined(const std::vector<std::string>& words)
{
    std::string text;
    for (const std::string& word : words) text += (text.empty() ? "" : ", ") + printable(word);
    return text;
}

std::string line_of(const ops::UpOne& one)
{
    const std::string id = to_string(one.id);
    std::string text = one.name + ": ";
    switch (one.act) {
    case Act::started: return text + "started (" + id + ")";
    case Act::recreated:
        return text + "started anew (" + id +
               "), for its table has changed: " + joined(one.changed);
    case Act::submitted:
        return text + "waits" + (one.after.empty() ? "" : " for " + after_words(one)) + " (" + id +
               ")";
    case Act::done: text += "has been done (" + id + ")"; break;
    case Act::there: text += "was there (" + id + ")"; break;
    }
    if (one.changed.empty()) return text;
    return text + ", but its table has changed: " + joined(one.changed) + " (bgt up --recreate " +
           one.name + " starts it anew)";
}

boost::json::object json_of(const ops::UpOne& one)
{
    return {{"name", one.name},
            {"id", one.id.value},
            {"action", ops::to_string(one.act)},
            {"changed", boost::json::array(one.changed.begin(), one.changed.end())},
            {"ready", nullptr},
            {"why", nullptr}};
}

boost::json::object json_of(const ops::UpAnswer& answer, const std::string& folder)
{
    boost::json::array tasks, unlisted;
    for (const ops::UpOne& one : answer.tasks) tasks.push_back(json_of(one));
    for (const auto& [name, id] : answer.unlisted)
        unlisted.push_back(boost::json::object{{"name", name}, {"id", id.value}});
    return {{"project", answer.project},
            {"folder", to_valid_utf8(folder)},
            {"tasks", std::move(tasks)},
            {"unlisted", std::move(unlisted)}};
}

/// Of one that is not ready, as `bgt run --wait-ready` has it.
int code_of(const ops::UpReadiness& one)
{
    if (one.state == State::pending) return code::wait_timeout;
    const int own = one.own_code.value_or(code::cannot_be_met);
    return own == code::hung || own == code::task_timeout ? own : code::cannot_be_met;
}

/// The last lines of its output, each behind its name.
void tell_tail(Context& context, const ops::UpReadiness& one)
{
    std::vector<std::string> lines = split(one.tail, '\n');
    while (!lines.empty() && lines.back().empty()) lines.pop_back();
    const std::size_t first = lines.size() - std::min(lines.size(), tail_lines);
    for (std::size_t i = first; i < lines.size(); ++i)
        context.complain(one.name + " | " + lines[i]);
}

int Up::wait(Context& context, store::Root& root, const ops::UpAnswer& answer,
             boost::json::object& json) const
{
    const auto waited = ops::await_up(root, answer, wait_limit_);
    if (!waited) return context.fail(waited.error());
    int failed = code::ok, pending = code::ok;
    for (std::size_t i = 0; i < waited->size(); ++i) {
        const ops::UpReadiness& one = (*waited)[i];
        auto& row = json["tasks"].as_array()[i].as_object();
        row["ready"] = one.state == State::ready;
        if (one.state == State::ready) continue;
        row["why"] = to_valid_utf8(one.why);
        int& code = one.state == State::failed ? failed : pending;
        if (code == code::ok) code = code_of(one);
        if (json_) continue; // the answer says it
        context.complain(one.name + " " + one.why + " (bgt why " + to_string(one.id) +
                         ", bgt logs " + to_string(one.id) + ")");
        tell_tail(context, one);
    }
    return failed != code::ok ? failed : pending;
}

int Up::finish(Context& context, boost::json::object answer, int code) const
{
    if (json_) context.print(render::answer_json(std::move(answer)));
    return code;
}

int Up::run(Context& context)
{
    if (timeout_ && !wait_) return context.fail(Error::usage("--timeout belongs to --wait"), json_);
    if (timeout_) {
        const auto limit = parse_limit(*timeout_);
        if (!limit) return context.fail(Error::usage("--timeout: " + limit.error().message), json_);
        wait_limit_ = *limit;
    }
    auto tables = find_tables(context);
    if (!tables) return context.fail(tables.error(), json_);
    tell_ignored_alerts(context);
    auto root = context.root(true); // its path may be relative to the folder that is left now
    if (!root) return context.fail(root.error(), json_);
    know_alerts(context, **root);
    if (::chdir(tables->folder.c_str()) != 0)
        return context.fail(Error::system(printable(tables->folder), errno), json_);
    auto tasks = read_tables(*tables, context.settings());
    if (!tasks) return context.fail(tasks.error(), json_);
    const auto done = ops::up(**root, {tables->folder, *std::move(tasks), names_, recreate_},
                              [&](const ops::UpOne& one) {
                                  if (!json_) context.print(line_of(one) + "\n");
                              });
    if (!done) return context.fail(done.error(), json_);
    for (const auto& [name, id] : done->unlisted)
        if (!json_)
            context.complain(name + " runs (" + to_string(id) + "), but " +
                             printable(tables->file) + " does not name it (bgt down " + name +
                             " ends it)");
    boost::json::object json = json_of(*done, tables->folder);
    const int code = wait_ ? wait(context, **root, *done, json) : code::ok;
    return finish(context, std::move(json), code);
}

} // namespace

std::unique_ptr<Verb> make_up()
{
    return std::make_unique<Up>();
}

} // namespace bgt::cli
