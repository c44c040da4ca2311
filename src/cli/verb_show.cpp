#include <bgt/cli/select.hpp>
#include <bgt/cli/verb.hpp>
#include <bgt/os/proc.hpp>
#include <bgt/render/details.hpp>
#include <bgt/render/json.hpp>

#include <algorithm>
#include <boost/json.hpp>
#include <iterator>
#include <limits>

namespace bgt::cli {

namespace {

using supervise::Snapshot;

constexpr std::size_t events_for_people = 10;
constexpr std::size_t events_for_json = 100;

std::vector<render::ProcessRow> rows_of(const std::vector<os::ProcStat>& tree)
{
    std::vector<render::ProcessRow> rows;
    rows.reserve(tree.size());
    for (const auto& process : tree)
        rows.push_back({process.key.pid, process.ppid, process.state, os::age_of(process.key),
                        os::command_line(process.key.pid)});
    return rows;
}

/// What has happened: the newest, and how each earlier attempt ended.
struct History {
    std::vector<store::TaskEvent> events, attempts;
};

History history_of(const store::TaskDir& task, std::size_t most)
{
    History history;
    auto read = store::read_events(task.fd(), std::numeric_limits<std::size_t>::max());
    if (!read) return history;
    history.events = std::move(read->events);
    std::ranges::copy_if(history.events, std::back_inserter(history.attempts),
                         [](const store::TaskEvent& event) { return event.event == "attempt-ended"; });
    const std::size_t older = history.events.size() - std::min(history.events.size(), most);
    history.events.erase(history.events.begin(), history.events.begin() + static_cast<std::ptrdiff_t>(older));
    return history;
}

class Show : public Verb {
public:
    void declare(Parser& parser) override
    {
        selection_.declare(parser);
        parser.flag("--json", json_, "print JSON, with the earlier attempts and the last 100 events of each task");
        parser.example("bgt show web");
        parser.example("bgt show --json - | jq '.tasks[0].outcome'");
    }

    int run(Context& context) override
    {
        const auto done = show(context);
        if (done) return *done;
        if (json_) context.print(render::error_json(done.error().message, exit_code(done.error())));
        return context.fail(done.error());
    }

private:
    Result<int> show(Context& context)
    {
        auto root = context.root();
        if (!root) return root.error();
        const auto found = select_there(context, **root, selection_, Scope::any);
        if (!found) return found.error();
        const supervise::SnapshotFields want{.spec = true, .usage = true, .ports = true};
        const auto snapshots = supervise::inspect_all(**root, found->ids, want);
        context.print(json_ ? as_json(**root, snapshots) : as_text(context, **root, snapshots));
        return found->code;
    }

    static std::string as_text(Context& context, store::Root& root, const std::vector<Snapshot>& snapshots)
    {
        render::DetailsStyle style;
        style.color = context.color();
        if (context.stdout_is_terminal()) style.width = static_cast<std::size_t>(context.width());
        const auto now = render::Moment::now();
        std::string out;
        for (const auto& snapshot : snapshots) {
            History history;
            if (const auto task = root.open_task(snapshot.id)) history = history_of(*task, events_for_people);
            if (!out.empty()) out += '\n';
            out += render::task_details({snapshot, rows_of(snapshot.tree), history.events, history.attempts}, now, style);
        }
        return out;
    }

    static std::string as_json(store::Root& root, const std::vector<Snapshot>& snapshots)
    {
        boost::json::array tasks;
        for (const auto& snapshot : snapshots) {
            History history;
            if (const auto task = root.open_task(snapshot.id)) history = history_of(*task, events_for_json);
            boost::json::array events;
            for (const auto& event : history.events) events.push_back(render::event_json(event));
            auto object = render::task_json(snapshot);
            object["attempts"] = render::attempts_json(history.attempts);
            object["events"] = std::move(events);
            tasks.push_back(std::move(object));
        }
        return render::answer_json({{"tasks", std::move(tasks)}});
    }

    Selection selection_;
    bool json_ = false;
};

} // namespace

std::unique_ptr<Verb> make_show()
{
    return std::make_unique<Show>();
}

} // namespace bgt::cli
