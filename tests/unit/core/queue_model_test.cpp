// The queue against a naive one: random calls, and after each of them both must tell the same.
#include "naive_queue.hpp"
#include "support/catch.hpp"

#include <random>

using namespace bgt;
using namespace bgt::core;
using namespace std::chrono_literals;

namespace {

Ids ids_of(const std::vector<TaskRange>& ranges)
{
    Ids ids;
    for (const auto& [first, count] : ranges)
        for (std::uint32_t i = 0; i < count; ++i) ids.push_back(first + i);
    std::ranges::sort(ids);
    return ids;
}

/// As text, so that a failure shows both.
std::string text(const Ids& ids)
{
    std::string out;
    for (const std::int64_t id : ids) out += std::to_string(id) + ' ';
    return out;
}

std::string text(const std::string& text)
{
    return text;
}

std::string text(bool value)
{
    return value ? "true" : "false";
}

std::string text(const std::optional<std::string>& text)
{
    return text.value_or("none");
}

std::string text(const std::optional<std::int64_t>& id)
{
    return id ? std::to_string(*id) : "none";
}

std::string text(const std::optional<WallTime>& time)
{
    return time ? std::to_string(time->time_since_epoch() / 1s) : "none";
}

std::string text(const std::map<std::string, QueueCounts>& counts)
{
    std::string out;
    for (const auto& [name, of] : counts)
        out += name + ": " +
               text(Ids{static_cast<std::int64_t>(of.waiting), static_cast<std::int64_t>(of.held),
                        static_cast<std::int64_t>(of.running),
                        static_cast<std::int64_t>(of.used_slots)});
    return out;
}

std::string text(const std::optional<WaitReasons>& why)
{
    if (!why) return "does not wait";
    std::vector<std::string> parts;
    for (const auto& [task, on] : why->dependencies)
        parts.push_back("after " + std::to_string(task) + ":" + std::string(to_string(on)));
    for (const auto& [name, need, free, capacity] : why->lacks)
        parts.push_back("lacks " + name + " " + std::to_string(need) + " of " +
                        std::to_string(free));
    std::ranges::sort(parts);
    std::string out = why->held ? "held; " : "";
    for (const std::string& part : parts) out += part + "; ";
    return out + "time " + text(why->not_before) + (why->queue_paused ? "; paused" : "") +
           "; key " + text(why->key_holder) + "; behind " + text(why->behind) + "; before " +
           std::to_string(why->before);
}

template <class T>
bool same(const T& a, const T& b)
{
    return a == b;
}

bool same(const std::map<std::string, QueueCounts>& a, const std::map<std::string, QueueCounts>& b)
{
    const auto numbers = [](const QueueCounts& of) {
        return std::tie(of.waiting, of.held, of.running, of.used_slots);
    };
    return std::ranges::equal(a, b, [&](const auto& x, const auto& y) {
        return x.first == y.first && numbers(x.second) == numbers(y.second);
    });
}

class Game {
public:
    explicit Game(std::uint64_t seed) : engine_(seed) {}

    void play(std::size_t steps)
    {
        for (std::size_t i = 0; i < steps; ++i) {
            step();
            agree("in_order", queue_.in_order(SIZE_MAX), naive_.in_order());
            agree("running_ids", queue_.running_ids(), naive_.running_ids());
            agree("next_time", queue_.next_time(), naive_.next_time());
            agree("counts", queue_.counts(), naive_.counts());
            agree("depended_on", queue_.depended_on(), naive_.depended_on());
            agree("waiting_with_key", queue_.waiting_with_key("k"), naive_.with_key("k", false));
            agree("running_with_key", queue_.running_with_key("k"), naive_.with_key("k", true));
            const std::int64_t id = some_id();
            const auto on = static_cast<DependsOn>(below(5));
            agree("is_awaited", queue_.is_awaited(id, on), naive_.is_awaited(id, on));
            agree("is_waiting", queue_.is_waiting(id), naive_.is_waiting(id));
            agree("queue_of", queue_.queue_of(id), naive_.queue_of(id));
            if (one_in(3))
                agree("why_waiting", text(queue_.why_waiting(id)), text(naive_.why_waiting(id)));
            const std::string queue = some_queue();
            if (queue_.waiting_at_least(queue, 0) != naive_.waiting_at_least(queue, 0))
                fail("waiting_at_least");
        }
    }

private:
    std::uint64_t below(std::uint64_t n) { return engine_() % n; }
    bool one_in(std::uint64_t n) { return below(n) == 0; }
    template <class T>
    T one_of(std::initializer_list<T> values)
    {
        return *(values.begin() + below(values.size()));
    }
    /// Mostly one that waits or runs; else one that does not any more, or not yet.
    std::int64_t some_id()
    {
        const Ids waiting = naive_.in_order(), running = naive_.running_ids();
        const std::size_t all = waiting.size() + running.size();
        if (all == 0 || one_in(5))
            return static_cast<std::int64_t>(1 + below(static_cast<std::uint64_t>(next_id_) + 2));
        const std::size_t at = below(all);
        return at < waiting.size() ? waiting[at] : running[at - waiting.size()];
    }
    std::string some_queue() { return one_of<const char*>({"a", "b", "c"}); }
    std::string some_resource() { return one_of<const char*>({"gpu", "mem"}); }
    WallTime soon() { return now_ + std::chrono::seconds(below(20)) - 2s; }

    WaitingTasks some_tasks()
    {
        WaitingTasks tasks;
        tasks.first = next_id_;
        tasks.count = one_in(3) ? static_cast<std::uint32_t>(2 + below(8)) : 1;
        tasks.queue = some_queue();
        tasks.priority = one_in(3) ? static_cast<std::int32_t>(below(3)) - 1 : 0;
        tasks.slots = one_in(4) ? static_cast<std::uint32_t>(below(4)) : 1;
        while (one_in(3)) tasks.needs.push_back({some_resource(), below(4)});
        std::set<std::pair<std::int64_t, DependsOn>>
            after; // each once, as the header promises nothing else
        while (one_in(3)) after.emplace(some_id(), static_cast<DependsOn>(below(5)));
        for (const auto& [task, on] : after)
            if (task < next_id_) tasks.after.push_back({task, on});
        tasks.hold_on_failure = one_in(2);
        if (one_in(4)) tasks.key = one_of<const char*>({"k", "l"});
        if (one_in(4)) tasks.max_running = static_cast<std::uint32_t>(1 + below(3));
        tasks.held = one_in(8);
        if (one_in(6)) tasks.not_before = soon();
        if (one_in(6)) tasks.expires = soon();
        return tasks;
    }

    void step()
    {
        switch (below(25)) {
        case 0:
        case 1:
        case 2: return add();
        case 3: return set_limits();
        case 4:
        case 5:
        case 6:
        case 7:
        case 8: return start_next();
        case 9: return put_back();
        case 10:
        case 11:
        case 12:
        case 13: return end_one();
        case 14:
            return tell(naive_.is_waiting(next_id_ / 2) ? 0 : next_id_ / 2,
                        static_cast<TaskEventKind>(below(5)));
        case 15: return start_elsewhere();
        case 16: return pass_time();
        case 17: return write_and_read();
        default: return change_place(some_id());
        }
    }

    void add()
    {
        if (naive_.in_order().size() > 20) return clear();
        const WaitingTasks tasks = some_tasks();
        log_ =
            log_ + "add " + std::to_string(tasks.first) + "+" + std::to_string(tasks.count) + "; ";
        next_id_ += tasks.count;
        queue_.add(tasks);
        naive_.add(tasks);
    }
    void clear()
    {
        for (const std::int64_t id : naive_.in_order())
            if (one_in(2) && naive_.is_waiting(id)) cancel(id);
    }
    void cancel(std::int64_t id)
    {
        log("remove", id);
        agree("remove", queue_.remove(id), naive_.remove(id));
        tell(id, TaskEventKind::never_started);
    }
    void tell(std::int64_t id, TaskEventKind event)
    {
        log("tell " + std::to_string(static_cast<int>(event)), id);
        agree("tell", ids_of(queue_.tell(id, event)), naive_.tell(id, event));
    }
    void set_limits()
    {
        log_ += "limits; ";
        const std::string queue = some_queue(), resource = some_resource();
        const QueueLimits limits{static_cast<std::uint32_t>(below(6)), one_in(5)};
        const std::uint64_t capacity = below(6);
        const auto total =
            one_in(2) ? std::optional(static_cast<std::uint32_t>(below(10))) : std::nullopt;
        queue_.set_queue(queue, limits);
        naive_.set_queue(queue, limits);
        queue_.set_resource(resource, capacity);
        naive_.set_resource(resource, capacity);
        queue_.set_total_slots(total);
        naive_.set_total_slots(total);
    }
    void start_next()
    {
        const auto id = queue_.next();
        log("next", id.value_or(0));
        agree("next", id, naive_.next());
        if (id) return one_in(2) ? tell(*id, TaskEventKind::started) : void();
        for (const std::int64_t waiting : naive_.in_order()) {
            const WaitReasons why = *queue_.why_waiting(waiting);
            const bool is_kept =
                why.held || why.queue_paused || why.not_before || why.key_holder || why.behind;
            if (!is_kept && why.dependencies.empty() && why.lacks.empty())
                fail(std::to_string(waiting) + " waits for nothing");
        }
    }
    void put_back()
    {
        const std::int64_t id = some_id();
        log("put_back", id);
        if (!naive_.is_running(id) && naive_.is_waiting(id)) return;
        queue_.put_back(id);
        naive_.put_back(id);
    }
    void end_one()
    {
        const Ids running = naive_.running_ids();
        if (running.empty()) return;
        const std::int64_t id = running[below(running.size())];
        if (one_in(4)) return tell(id, TaskEventKind::ready);
        tell(id, one_of({TaskEventKind::ended_ok, TaskEventKind::ended_ok,
                         TaskEventKind::ended_not_ok, TaskEventKind::never_started}));
    }
    void start_elsewhere()
    {
        WaitingTasks tasks = some_tasks();
        const std::int64_t id = some_id();
        log("claim or add_running", id);
        if (one_in(3)) return agree("claim", queue_.claim(id), naive_.claim(id));
        tasks.first = id;
        queue_.add_running(id, tasks);
        naive_.add_running(id, tasks);
        next_id_ = std::max(next_id_, id + 1);
    }
    void pass_time()
    {
        now_ += std::chrono::seconds(below(4));
        log("advance", now_.time_since_epoch() / 1s);
        const Ids expired = ids_of(queue_.advance(now_));
        agree("advance", expired, naive_.advance(now_));
        for (const std::int64_t id : expired) tell(id, TaskEventKind::never_started);
    }
    /// All of it goes through what the journal keeps.
    void write_and_read()
    {
        log_ += "write and read; ";
        QueueState read;
        for (const auto& [name, limits] : naive_.queues()) read.set_queue(name, limits);
        for (const auto& [name, capacity] : naive_.capacities()) read.set_resource(name, capacity);
        read.set_total_slots(naive_.total_slots());
        for (const WaitingTasks& tasks : queue_.waiting()) read.add(tasks);
        for (const std::int64_t id : queue_.running_ids())
            read.add_running(id, *queue_.running(id));
        queue_ = read;
        // Those whose time had come have no time any more.
        const Ids expired = ids_of(queue_.advance(now_));
        agree("advance", expired, naive_.advance(now_));
        for (const std::int64_t id : expired) tell(id, TaskEventKind::never_started);
    }
    void change_place(std::int64_t id)
    {
        const std::int64_t other = some_id();
        const auto priority = static_cast<std::int32_t>(below(3)) - 1;
        switch (below(8)) {
        case 0: log("hold", id); return agree("hold", queue_.hold(id), naive_.set_held(id, true));
        case 1:
        case 2:
            log("release", id);
            return agree("release", queue_.release(id), naive_.set_held(id, false));
        case 3:
            log("priority " + std::to_string(priority), id);
            return agree("set_priority", queue_.set_priority(id, priority),
                         naive_.set_priority(id, priority));
        case 4:
            log("first", id);
            return agree("move_first", queue_.move_first(id), naive_.move_first(id));
        case 5:
            log("last", id);
            return agree("move_last", queue_.move_last(id), naive_.move_last(id));
        case 6:
            log("before " + std::to_string(other), id);
            return agree("move_before", queue_.move_before(id, other),
                         naive_.move_before(id, other));
        default:
            if (naive_.is_waiting(id)) cancel(id);
        }
    }

    void log(const std::string& what, std::int64_t id)
    {
        log_ += what + " " + std::to_string(id) + "; ";
    }
    template <class T>
    void agree(const char* what, const T& got, const T& expected)
    {
        if (!same(got, expected))
            fail(std::string(what) + ":\n  " + text(got) + "\nand not\n  " + text(expected));
    }
    void fail(const std::string& what)
    {
        FAIL(what << "\nafter ..."
                  << (log_.size() > 3000 ? log_.substr(log_.size() - 3000) : log_));
    }

    std::mt19937_64 engine_;
    QueueState queue_;
    NaiveQueue naive_;
    WallTime now_{100s};
    std::int64_t next_id_ = 1;
    std::string log_;
};

} // namespace

TEST_CASE("whatever is asked of a queue, a naive one says the same")
{
    for (std::uint64_t seed = 1; seed <= 170; ++seed) {
        INFO("game " << seed);
        Game(seed).play(600);
    }
}
