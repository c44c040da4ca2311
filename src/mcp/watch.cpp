// Subscriptions: each is a helper that sleeps until what it is about has changed.
#include "answers.hpp"

#include "lists.hpp"

#include <bgt/ops/select.hpp>
#include <bgt/os/clock.hpp>
#include <bgt/os/watch.hpp>

#include <algorithm>
#include <boost/json.hpp>
#include <set>

namespace bgt::mcp {

namespace {

namespace json = boost::json;

constexpr std::size_t max_watched = 100;
constexpr std::chrono::milliseconds together(150); ///< changes that come within are told once
constexpr std::string_view subscription_key = "io.modelcontextprotocol/subscriptionId";

/// One thing that is watched: a resource, or a task of the extension.
struct Watched {
    std::string name;     ///< URI, or the id of the task
    bool is_task = false; ///< the latter; of the former, one task is Kind::task too
    ResourceUri what;
    store::TaskId id{};
    std::vector<int> tokens = {};
};

class Changes {
public:
    Changes(store::Root& root, os::Watch watch) : root_(root), watch_(std::move(watch)) {}

    /// False: there is no such thing.
    bool add(Watched one)
    {
        if (one.what.kind != ResourceUri::Kind::tasks) {
            ops::Selection selection;
            selection.words = {one.what.task};
            const auto ids = ops::select(root_, selection, ops::Scope::any);
            if (!ids || ids->empty()) return false;
            one.id = ids->front();
        }
        arm(one);
        watched_.push_back(std::move(one));
        return true;
    }

    /// Sleeps until something has changed; empty: it was given up.
    std::vector<const Watched*> next(ops::Cancel cancel)
    {
        if (cancel.fd >= 0) watch_.add_fd(cancel.fd);
        std::set<const Watched*> changed;
        std::optional<Instant> deadline;
        for (;;) {
            const auto wake = watch_.wait(deadline);
            if (!wake || cancel.requested()) return {};
            for (Watched& one : watched_)
                if (wake->overflow ||
                    std::ranges::find_first_of(one.tokens, wake->tokens) != one.tokens.end())
                    changed.insert(&one);
            if (!deadline && !changed.empty()) deadline = os::now() + together;
            if (deadline && os::now() >= *deadline) break;
        }
        if (cancel.fd >= 0) watch_.remove_fd(cancel.fd);
        for (Watched& one : watched_)
            if (changed.contains(&one)) arm(one);
        return {changed.begin(), changed.end()};
    }

private:
    void arm(Watched& one)
    {
        for (const int token : one.tokens) watch_.remove(token);
        one.tokens.clear();
        const auto file = [&](const std::string& path) {
            if (const auto token = watch_.add_file(path)) one.tokens.push_back(*token);
        };
        const std::string tasks = root_.path() + "/tasks/";
        if (one.what.kind == ResourceUri::Kind::tasks) {
            if (const auto token = watch_.add_folder(root_.path() + "/active"))
                one.tokens.push_back(*token);
            if (const auto ids = root_.active_ids())
                for (const store::TaskId id : *ids)
                    file(tasks + to_string(id) + "/" + store::file::status);
            return;
        }
        const std::string folder = tasks + to_string(one.id) + "/";
        file(folder + store::file::status);
        if (one.what.kind == ResourceUri::Kind::task) return;
        if (one.what.kind == ResourceUri::Kind::log) return file(folder + store::file::out_log);
        if (const auto token = watch_.add_folder(folder + "reports")) one.tokens.push_back(*token);
    }

    store::Root& root_;
    os::Watch watch_;
    std::vector<Watched> watched_;
};

std::vector<std::string> texts_of(const json::object& filter, std::string_view name)
{
    std::vector<std::string> out;
    const json::value* list = filter.if_contains(name);
    if (!list || !list->is_array()) return out;
    for (const json::value& one : list->get_array())
        if (one.is_string() && out.size() < max_watched) out.emplace_back(one.get_string());
    return out;
}

/// Takes from the filter what there is, and says which.
json::object add_all(Changes& changes, const json::object& filter)
{
    json::array uris, ids;
    for (const std::string& uri : texts_of(filter, "resourceSubscriptions"))
        if (const auto what = parse_uri(uri); what && changes.add({uri, false, *what}))
            uris.emplace_back(uri);
    for (const std::string& id : texts_of(filter, "taskIds"))
        if (changes.add({id, true, {ResourceUri::Kind::task, id}})) ids.emplace_back(id);
    json::object agreed;
    if (!uris.empty()) agreed["resourceSubscriptions"] = std::move(uris);
    if (!ids.empty()) agreed["taskIds"] = std::move(ids);
    return agreed;
}

} // namespace

std::string listen(const Server& server, const Request& request, ops::Cancel cancel,
                   const Emit& emit)
{
    auto root = open_root(server, true);
    auto watch = os::Watch::create();
    if (!root || !watch)
        return error_line(request.id, {code::internal_error,
                                       (root ? watch.error() : root.error()).message, nullptr});
    Changes changes(*root, *std::move(watch));
    const json::object agreed = add_all(changes, request.params.at("notifications").as_object());
    const json::object meta{{subscription_key, request.id}};
    emit(notification_line("notifications/subscriptions/acknowledged",
                           {{"_meta", meta}, {"notifications", agreed}}));
    for (;;) {
        const auto changed = changes.next(cancel);
        if (changed.empty()) return {};
        for (const Watched* one : changed) {
            if (!one->is_task) {
                emit(notification_line("notifications/resources/updated",
                                       {{"_meta", meta}, {"uri", one->name}}));
                continue;
            }
            auto task = task_json(server, request, one->name);
            if (!task) continue;
            (*task)["_meta"] = meta;
            emit(notification_line("notifications/tasks", *std::move(task)));
        }
    }
}

void watch_resource(const Server& server, const std::string& uri, ops::Cancel cancel,
                    const Emit& emit)
{
    auto root = open_root(server, true);
    auto watch = os::Watch::create();
    if (!root || !watch) return;
    Changes changes(*root, *std::move(watch));
    if (!changes.add({uri, false, *parse_uri(uri)})) return;
    while (!changes.next(cancel).empty())
        emit(notification_line("notifications/resources/updated", {{"uri", uri}}));
}

} // namespace bgt::mcp
