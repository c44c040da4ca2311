#include "handlers.hpp"

#include <bgt/ops/cpu_since_last.hpp>
#include <bgt/ops/list.hpp>
#include <bgt/ops/queues.hpp>
#include <bgt/ops/schedules.hpp>
#include <bgt/os/clock.hpp>
#include <bgt/os/watch.hpp>
#include <bgt/render/json_text.hpp>
#include <bgt/render/queues.hpp>
#include <bgt/render/schedules.hpp>
#include <bgt/render/words.hpp>

#include <algorithm>
#include <boost/json.hpp>
#include <map>
#include <set>

namespace bgt::serve {

namespace {

namespace json = boost::json;
using store::TaskId;

constexpr std::chrono::milliseconds together(100); ///< changes that come within are told at once
constexpr std::uint64_t max_usage_interval = 3600;

/// Of a wall clock, in milliseconds: the id of an event says up to when it is known what happened.
std::uint64_t now_ms()
{
    return static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::milliseconds>(
                                          render::Moment::now().wall.time_since_epoch())
                                          .count());
}

class EventStream {
public:
    EventStream(store::Root root, os::Watch watch, Wire& wire)
        : root_(std::move(root)), watch_(std::move(watch)), wire_(wire)
    {}

    void run(std::optional<std::uint64_t> since, std::optional<Duration> usage)
    {
        watch_.add_fd(wire_.fd());
        arm();
        if (!send_all(since)) return;
        const auto in_a_period = [&] {
            return usage ? std::optional(os::now() + *usage) : std::nullopt;
        };
        std::optional<Instant> sample = in_a_period(), tell;
        for (;;) {
            std::optional<Instant> deadline = tell;
            if (sample && !living_.empty()) deadline = std::min(*sample, tell.value_or(*sample));
            const auto wake = watch_.wait(deadline);
            if (!wake || std::ranges::find(wake->fds, wire_.fd()) != wake->fds.end()) return;
            note(*wake);
            if (!tell && (is_listing_changed_ || are_queues_changed_ || !changed_.empty()))
                tell = os::now() + together;
            if (tell && os::now() >= *tell) {
                tell.reset();
                if (!send_changes()) return;
            }
            if (sample && os::now() >= *sample) {
                sample = in_a_period();
                if (!send_usage()) return;
            }
        }
    }

private:
    bool send(std::string_view event, const std::string& data)
    {
        return wire_.write(event_text(event, std::to_string(now_ms()), data));
    }

    /// The folders of the markers and of the queues; they may not be there yet.
    void arm()
    {
        const auto add = [&](std::optional<int>& token, const char* folder) {
            if (token) return;
            if (const auto added = watch_.add_folder(root_.path() + folder)) token = *added;
        };
        add(root_token_, "");
        add(active_token_, "/active");
        const bool had_queues = queue_token_.has_value();
        add(queue_token_, "/queue");
        are_queues_changed_ = are_queues_changed_ || queue_token_.has_value() != had_queues;
        if (journal_token_) watch_.remove(*journal_token_);
        journal_token_.reset();
        if (const auto journal = watch_.add_file(root_.path() + "/queue/journal"))
            journal_token_ = *journal;
        const auto ids = root_.active_ids();
        if (!ids) return;
        const std::set<TaskId> now(ids->begin(), ids->end());
        for (auto one = living_.begin(); one != living_.end();) {
            if (now.contains(one->first)) {
                ++one;
                continue;
            }
            if (one->second) watch_.remove(*one->second);
            changed_.insert(one->first); // it has ended, or is gone
            one = living_.erase(one);
        }
        for (const TaskId id : now)
            if (!living_.contains(id)) {
                const auto token = watch_.add_file(root_.path() + "/tasks/" + to_string(id) + "/" +
                                                   store::file::status);
                living_[id] = token ? std::optional(*token) : std::nullopt;
                changed_.insert(id);
            }
    }

    void note(const os::Watch::Wake& wake)
    {
        const auto woke = [&](const std::optional<int>& token) {
            return wake.overflow ||
                   (token && std::ranges::find(wake.tokens, *token) != wake.tokens.end());
        };
        is_listing_changed_ = is_listing_changed_ || woke(active_token_) || woke(root_token_);
        are_queues_changed_ = are_queues_changed_ || woke(queue_token_) || woke(journal_token_);
        for (const auto& [id, token] : living_)
            if (woke(token)) changed_.insert(id);
    }

    /// The living, the newest that have ended, and what has ended since then.
    bool send_all(std::optional<std::uint64_t> since)
    {
        changed_.clear();
        ops::ListRequest request;
        request.fields = shown_fields;
        auto tasks = ops::list(root_, request);
        if (!tasks) return false;
        if (since) {
            request.everything = true;
            auto all = ops::list(root_, request);
            if (!all) return false;
            const WallTime from{std::chrono::milliseconds(*since)};
            for (ops::Snapshot& task : *all)
                if (task.status.ended && *task.status.ended >= from &&
                    std::ranges::find(*tasks, task.id, &ops::Snapshot::id) == tasks->end())
                    tasks->push_back(std::move(task));
        }
        cpu_.update(*tasks, os::now());
        json::array rows;
        for (const ops::Snapshot& task : *tasks) rows.push_back(shown_task(task));
        return send("tasks", render::json_text(json::object{{"tasks", std::move(rows)}})) &&
               send_queues() && send_schedules();
    }

    bool send_queues()
    {
        are_queues_changed_ = false;
        if (!ops::has_queue(root_) && queues_.empty()) return true;
        const auto answer = ops::list_queues(root_);
        std::string now = answer ? render::queues_json(*answer) : std::string();
        if (now.empty() || now == queues_) return true;
        queues_ = std::move(now);
        return send("queues", queues_);
    }

    /// They are in the journal of the queues.
    bool send_schedules()
    {
        if (!ops::has_queue(root_) && schedules_.empty()) return true;
        const auto answer = ops::list_schedules(root_);
        std::string now = answer ? render::schedules_json(*answer) : std::string();
        const bool is_news = !answer || answer->empty() ? !schedules_.empty() : now != schedules_;
        if (now.empty() || !is_news) return true;
        schedules_ = answer->empty() ? std::string() : now;
        return send("schedules", now);
    }

    /// What waits has no marker: where the queues change, it is listed anew.
    void note_waiting()
    {
        ops::ListRequest request;
        request.fields = shown_fields;
        request.states = {"queued"};
        const auto waiting = ops::list(root_, request);
        if (!waiting) return;
        std::set<TaskId> now;
        for (const ops::Snapshot& task : *waiting) {
            now.insert(task.id);
            if (!waiting_.contains(task.id)) changed_.insert(task.id);
        }
        for (const TaskId id : waiting_)
            if (!now.contains(id)) changed_.insert(id);
        waiting_ = std::move(now);
    }

    bool send_changes()
    {
        if (is_listing_changed_ || are_queues_changed_) arm();
        is_listing_changed_ = false;
        if (are_queues_changed_) {
            note_waiting();
            if (!send_queues() || !send_schedules()) return false;
        }
        const std::set<TaskId> changed = std::exchange(changed_, {});
        for (const TaskId id : changed) {
            const auto task = ops::recover_and_inspect(root_, id, shown_fields);
            const bool sent =
                task ? send("task", render::json_text(shown_task(*task)))
                     : send("removed", render::json_text(json::object{{"id", id.value}}));
            if (!sent) return false;
        }
        return true;
    }

    /// What the living use, since the last time.
    bool send_usage()
    {
        if (living_.empty()) return true;
        std::vector<TaskId> ids;
        for (const auto& [id, token] : living_) ids.push_back(id);
        auto tasks = ops::recover_and_inspect_all(root_, ids, {.usage = true});
        cpu_.update(tasks, os::now());
        json::array rows;
        for (const ops::Snapshot& task : tasks) {
            if (!task.problem.empty()) continue;
            json::object row{{"id", task.id.value}, {"processes", task.processes}};
            if (task.cpu) row["cpu"] = *task.cpu;
            if (task.rss_bytes) row["rss_bytes"] = *task.rss_bytes;
            rows.push_back(std::move(row));
        }
        return send("usage", render::json_text(json::object{{"tasks", std::move(rows)}}));
    }

    store::Root root_;
    os::Watch watch_;
    Wire& wire_;
    ops::CpuSinceLast cpu_;
    std::map<TaskId, std::optional<int>> living_;
    std::set<TaskId> changed_, waiting_;
    std::optional<int> root_token_, active_token_, queue_token_, journal_token_;
    bool is_listing_changed_ = false, are_queues_changed_ = false;
    std::string queues_, schedules_; ///< as told last
};

} // namespace

void stream_events(const Server& server, const Route& route, const Request& request, Wire& wire)
{
    const auto refuse = [&](const Error& error) {
        (void)wire.write(to_bytes(problem(error), false));
    };
    std::optional<std::uint64_t> since;
    if (const auto last = request.header("last-event-id"); !last.empty()) {
        since = number_of(last, std::uint64_t{1} << 43);
        if (!since) return refuse(Error::usage("Last-Event-ID: not one of this stream"));
    }
    std::optional<Duration> usage;
    if (const auto asked = route.query.find("usage"); asked != route.query.end()) {
        const auto seconds = number_of(asked->second, max_usage_interval);
        if (!seconds || *seconds == 0) return refuse(Error::usage("usage: expected 1 to 3600"));
        usage = std::chrono::seconds(*seconds);
    }
    auto root = store::Root::open(server.root, store::Root::IfMissing::create);
    auto watch = os::Watch::create();
    if (!root || !watch) return refuse(root ? watch.error() : root.error());
    if (wire.write(stream_head()))
        EventStream(*std::move(root), *std::move(watch), wire).run(since, usage);
}

} // namespace bgt::serve
