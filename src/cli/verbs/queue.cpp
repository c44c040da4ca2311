#include "answer.hpp"
#include "run/run_table.hpp"

#include <bgt/base/size.hpp>
#include <bgt/base/text.hpp>
#include <bgt/cli/verb.hpp>
#include <bgt/ops/queues.hpp>
#include <bgt/render/json.hpp>
#include <bgt/render/queues.hpp>

#include <boost/json.hpp>
#include <climits>

namespace bgt::cli {

namespace {

class Queue final : public Verb {
public:
    void declare(Parser&) override;
    int run(Context&) override;

private:
    /// What stands first.
    struct Act {
        std::string_view word;
        int (Queue::*act)(Context&, store::Root&, const std::vector<std::string>&);
    };
    int list(Context&, store::Root&, const std::vector<std::string>&);
    int show(Context&, store::Root&, const std::vector<std::string>&);
    int set(Context&, store::Root&, const std::vector<std::string>&);
    int pause(Context&, store::Root&, const std::vector<std::string>&);
    int resume(Context&, store::Root&, const std::vector<std::string>&);
    int drain(Context&, store::Root&, const std::vector<std::string>&);
    int clear(Context&, store::Root&, const std::vector<std::string>&);
    int remove(Context&, store::Root&, const std::vector<std::string>&);
    int repair(Context&, store::Root&, const std::vector<std::string>&);
    int mark(Context&, store::Root&, const std::vector<std::string>& names,
             void (*change)(store::OneQueue&));
    static const std::vector<Act>& acts();

    std::vector<std::string> words_;
    bool total_ = false, json_ = false;
};

void Queue::declare(Parser& parser)
{
    parser.words(words_, "WORD", Value::text);
    parser.flag("--total", total_,
                "set: what all queues of the root share: slots and named resources");
    parser.flag("--json", json_, "print the answer as JSON");
    parser.example("bgt queue                       # all of them");
    parser.example("bgt queue set build slots=4 limit=1000");
    parser.example("bgt queue set --total slots=8 gpu=2 mem=32GiB");
    parser.example("bgt queue pause build");
}

const std::vector<Queue::Act>& Queue::acts()
{
    static const std::vector<Act> all{
        {"ls", &Queue::list},     {"show", &Queue::show},     {"set", &Queue::set},
        {"pause", &Queue::pause}, {"resume", &Queue::resume}, {"drain", &Queue::drain},
        {"clear", &Queue::clear}, {"rm", &Queue::remove},     {"repair", &Queue::repair}};
    return all;
}

int Queue::run(Context& context)
{
    const bool changes = !words_.empty() && words_.front() != "ls" && words_.front() != "show";
    auto root = context.root(changes);
    if (!root) return context.fail(root.error(), json_);
    if (words_.empty()) return list(context, **root, {});
    for (const Act& act : acts())
        if (act.word == words_.front())
            return (this->*act.act)(context, **root, {words_.begin() + 1, words_.end()});
    std::string all;
    for (const Act& act : acts()) all += (all.empty() ? "" : ", ") + std::string(act.word);
    return context.fail(
        Error::usage("'" + fit(printable(words_.front()), 40) + "' is none of " + all), json_);
}

int Queue::list(Context& context, store::Root& root, const std::vector<std::string>&)
{
    const auto answer = ops::list_queues(root);
    if (!answer) return context.fail(answer.error(), json_);
    context.print(json_ ? render::queues_json(*answer)
                        : render::queues_table(*answer, context.table_width()));
    return code::ok;
}

int Queue::show(Context& context, store::Root& root, const std::vector<std::string>& names)
{
    if (names.size() != 1)
        return context.fail(Error::usage("which queue? bgt queue show NAME"), json_);
    const auto answer = ops::list_queues(root, names.front());
    if (!answer) return context.fail(answer.error(), json_);
    context.print(json_ ? render::queues_json(*answer)
                        : render::queue_details(answer->queues.front()));
    return code::ok;
}

Result<int> whole(const std::string& key, const std::string& text, int least, int most)
{
    Result<int> value = parse_int(text, least, most);
    if (!value) return Error::usage(key + ": " + value.error().message);
    return value;
}

/// None at all is what a pause is for; others take 0 for "no limit".
Result<std::uint32_t> slots_of(const std::string& value, const char* instead)
{
    if (parse_int(value, 0, 0))
        return Error::usage(std::string("slots: 0 is no number of slots; ") + instead);
    BGT_TRY_ASSIGN(const int slots, whole("slots", value, 1, 1'000'000));
    return static_cast<std::uint32_t>(slots);
}

/// KEY=VALUE of one queue.
Result<void> set_one(store::OneQueue& queue, const std::string& key, const std::string& value)
{
    if (key == "slots" && value == "auto") {
        queue.auto_slots = true;
        queue.slots.reset();
        return {};
    }
    if (key == "limit" && value == "off") {
        queue.limit.reset();
        return {};
    }
    if (key == "slots") {
        BGT_TRY_ASSIGN(queue.slots,
                       slots_of(value, "bgt queue pause lets the queue start nothing"));
        queue.auto_slots = false;
        return {};
    }
    if (key == "limit") {
        BGT_TRY_ASSIGN(const int limit, whole(key, value, 0, 1'000'000'000));
        queue.limit = static_cast<std::uint64_t>(limit);
        return {};
    }
    if (key == "priority") {
        BGT_TRY_ASSIGN(queue.priority, whole(key, value, INT_MIN, INT_MAX));
        return {};
    }
    return Error::usage("'" + fit(printable(key), 40) +
                        "' is no setting of a queue: slots, limit, priority");
}

/// Of all queues together.
Result<void> set_shared(store::QueueSettings& settings, const std::string& key,
                        const std::string& value)
{
    if (key == "slots" && value == "off") {
        settings.total_slots.reset();
        return {};
    }
    if (key == "slots") {
        BGT_TRY_ASSIGN(settings.total_slots, slots_of(value, "slots=off is no limit"));
        return {};
    }
    if (auto valid = store::check_queue_name(key); !valid)
        return Error::usage("'" + fit(printable(key), 40) + "' is no name of a resource");
    if (value == "off") {
        settings.resources.erase(key);
        return {};
    }
    const auto amount = parse_size(value);
    if (!amount) return amount.error();
    settings.resources[key] = *amount;
    return {};
}

int Queue::set(Context& context, store::Root& root, const std::vector<std::string>& words)
{
    const std::size_t first = total_ ? 0 : 1;
    if (words.size() <= first)
        return context.fail(
            Error::usage("bgt queue set NAME KEY=VALUE..., or bgt queue set --total KEY=VALUE..."),
            json_);
    if (!total_)
        if (auto valid = store::check_queue_name(words.front()); !valid)
            return context.fail(valid.error(), json_);
    const auto changed =
        ops::change_settings(root, [&](store::QueueSettings& settings) -> Result<void> {
            for (std::size_t at = first; at < words.size(); ++at) {
                const auto equals = words[at].find('=');
                if (equals == std::string::npos)
                    return Error::usage("'" + fit(printable(words[at]), 40) +
                                        "' is not of the form KEY=VALUE");
                const std::string key = words[at].substr(0, equals),
                                  value = words[at].substr(equals + 1);
                BGT_TRY(total_ ? set_shared(settings, key, value)
                               : set_one(settings.queues[words.front()], key, value));
            }
            return {};
        });
    if (!changed) return context.fail(changed.error(), json_);
    return json_ ? list(context, root, {}) : code::ok;
}

int Queue::mark(Context& context, store::Root& root, const std::vector<std::string>& names,
                void (*change)(store::OneQueue&))
{
    if (names.empty())
        return context.fail(Error::usage("which queue? name one or more (bgt queue lists all)"),
                            json_);
    const auto changed =
        ops::change_settings(root, [&](store::QueueSettings& settings) -> Result<void> {
            for (const std::string& name : names) {
                BGT_TRY(store::check_queue_name(name));
                change(settings.queues[name]);
            }
            return {};
        });
    if (!changed) return context.fail(changed.error(), json_);
    return json_ ? list(context, root, {}) : code::ok;
}

int Queue::pause(Context& context, store::Root& root, const std::vector<std::string>& names)
{
    return mark(context, root, names, [](store::OneQueue& queue) { queue.paused = true; });
}

int Queue::resume(Context& context, store::Root& root, const std::vector<std::string>& names)
{
    for (const std::string& name : names)
        if (const auto known = ops::check_queue(root, name);
            !known && known.error().kind == ErrorKind::not_found)
            return context.fail(known.error(), json_);
    return mark(context, root, names,
                [](store::OneQueue& queue) { queue.paused = queue.draining = false; });
}

int Queue::drain(Context& context, store::Root& root, const std::vector<std::string>& names)
{
    return mark(context, root, names, [](store::OneQueue& queue) { queue.draining = true; });
}

int Queue::clear(Context& context, store::Root& root, const std::vector<std::string>& names)
{
    if (names.empty())
        return context.fail(Error::usage("which queue? name one or more (bgt queue lists all)"),
                            json_);
    std::size_t total = 0;
    for (const std::string& name : names) {
        const auto cleared = ops::clear_queue(root, name);
        if (!cleared) return context.fail(cleared.error(), json_);
        total += *cleared;
    }
    if (json_) context.print(render::answer_json({{"cancelled", total}}));
    else context.print(counted(total, "waiting task", "waiting tasks") + " cancelled\n");
    return code::ok;
}

int Queue::remove(Context& context, store::Root& root, const std::vector<std::string>& names)
{
    if (names.empty())
        return context.fail(Error::usage("which queue? name one or more (bgt queue lists all)"),
                            json_);
    for (const std::string& name : names)
        if (const auto removed = ops::remove_queue(root, name); !removed)
            return context.fail(removed.error(), json_);
    return json_ ? list(context, root, {}) : code::ok;
}

int Queue::repair(Context& context, store::Root& root, const std::vector<std::string>& names)
{
    if (!names.empty())
        return context.fail(Error::usage("repair takes no names: all queues are in one journal"),
                            json_);
    const auto done = ops::repair_queues(root);
    if (!done) return context.fail(done.error(), json_);
    boost::json::array orphans;
    std::string orphan_words;
    for (const store::TaskId id : done->without_dependency) {
        orphans.emplace_back(id.value);
        orphan_words += (orphan_words.empty() ? "" : " ") + to_string(id);
    }
    if (json_) {
        boost::json::array kept;
        for (const std::string& path : done->kept) kept.emplace_back(to_valid_utf8(path));
        context.print(render::answer_json({{"repaired", !done->kept.empty()},
                                           {"waiting", done->waiting},
                                           {"schedules", done->schedules},
                                           {"unreadable_places", done->places},
                                           {"unreadable_bytes", done->lost_bytes},
                                           {"lost_tasks", done->lost_tasks},
                                           {"of_unknown_root", done->is_of_unknown_root},
                                           {"without_dependency", std::move(orphans)},
                                           {"kept", std::move(kept)}}));
        return code::ok;
    }
    if (done->kept.empty()) context.print("nothing is damaged\n");
    if (done->places > 0)
        context.print(
            counted(done->places, "place", "places") + " of the journal (" +
            counted(done->lost_bytes, "byte", "bytes") + ") could not be read; " +
            (done->lost_tasks > 0
                 ? "at least " + counted(done->lost_tasks, "task is", "tasks are") + " lost\n"
                 : "there may have been tasks in it\n") +
            counted(done->waiting, "waiting task is", "waiting tasks are") +
            " kept, and held: look at them (bgt ps), then bgt release --all\n");
    if (done->is_of_unknown_root)
        context.print("its head is lost, and with it for which state root it was written: if this "
                      "root is a copy, they may have been started in the other one\n");
    if (!orphan_words.empty())
        context.print("they wait for tasks that are lost, and start once they are released: " +
                      orphan_words + "\n");
    if (done->places > 0 && done->schedules > 0)
        context.print(counted(done->schedules, "schedule is", "schedules are") +
                      " kept, and paused: bgt schedule resume NAME\n");
    for (const std::string& path : done->kept)
        context.print("the damaged file is now " + printable(path) + "\n");
    return code::ok;
}

} // namespace

std::unique_ptr<Verb> make_queue()
{
    return std::make_unique<Queue>();
}

} // namespace bgt::cli
