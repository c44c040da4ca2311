#pragma once
/// Which waiting task starts next: queues with slots, named resources, dependencies, keys. No clock, no I/O; the order of the
/// calls decides, so the same journal gives the same queue.
#include <bgt/base/time.hpp>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace bgt::core {

/// What must have become of another task. The numbers are part of the journal: append only.
enum class DependsOn : std::uint8_t {
    ok = 0,    ///< it has ended with exit code 0
    fail = 1,  ///< it has run and ended otherwise
    any = 2,   ///< it has ended, or will never start
    start = 3, ///< its command was started
    ready = 4, ///< it became ready
};
std::string_view to_string(DependsOn);
std::optional<DependsOn> parse_depends_on(std::string_view);

struct Dependency {
    std::int64_t task = 0;
    DependsOn on = DependsOn::ok;
    bool operator==(const Dependency&) const = default;
};

/// What happened to a task on which others may depend.
enum class TaskEventKind : std::uint8_t {
    started = 0,
    ready = 1,
    ended_ok = 2,
    ended_not_ok = 3,
    never_started = 4, ///< cancelled, skipped, expired, or its command could not be executed
};

/// So much of a named resource.
struct Amount {
    std::string name;
    std::uint64_t amount = 0;
    bool operator==(const Amount&) const = default;
};

/// `count` waiting tasks with the ids first, first + 1 and so on, which differ in nothing that matters here.
struct WaitingTasks {
    std::int64_t first = 0;
    std::uint32_t count = 1;
    std::string queue = "default";
    std::int32_t priority = 0;     ///< higher first
    std::uint32_t slots = 1;       ///< of the queue, each
    std::vector<Amount> needs;     ///< of the resources, each
    std::vector<Dependency> after; ///< all must hold
    bool hold_on_failure = false;  ///< a dependency that can't hold any more: held; else never started
    std::string key;               ///< at most one task of a key runs at once; empty: none
    std::uint32_t max_running = 0; ///< of these tasks at once; 0: no limit. A key counts instead
    std::int64_t array = 0;        ///< the first id of the array whose max_running they share; 0: `first`
    std::optional<std::int64_t> order; ///< their place in the line where it is not that of their submission
    bool held = false;
    std::optional<WallTime> not_before;
    std::optional<WallTime> expires;
};

struct QueueLimits {
    std::uint32_t slots = 1;
    bool paused = false; ///< starts nothing
    bool operator==(const QueueLimits&) const = default;
};

/// A range of ids.
struct TaskRange {
    std::int64_t first = 0;
    std::uint32_t count = 0;
    bool operator==(const TaskRange&) const = default;
};

/// Why a waiting task has not started: all that holds now. Empty: nothing does, it is its turn.
struct WaitReasons {
    bool held = false;
    std::vector<Dependency> dependencies; ///< that do not hold yet
    std::optional<WallTime> not_before;
    bool queue_paused = false;
    std::optional<std::int64_t> key_holder; ///< a running task with its key, or of its array that is at its limit
    struct Lack {
        std::string name; ///< of a resource, "slots" (of its queue) or "total slots"
        std::uint64_t need = 0, free = 0, capacity = 0;
    };
    std::vector<Lack> lacks;
    std::size_t before = 0; ///< waiting tasks of its queue that come first
};

/// Counts of one queue.
struct QueueCounts {
    std::size_t waiting = 0; ///< held ones among them
    std::size_t held = 0;
    std::size_t running = 0;
    std::uint64_t used_slots = 0;
};

class QueueState {
public:
    // What can be used. A queue without limits has one slot; a resource that was never set has a capacity of 0.
    void set_queue(const std::string& name, const QueueLimits&);
    void set_total_slots(std::optional<std::uint32_t>);
    void set_resource(const std::string& name, std::uint64_t capacity);

    /// Their ids are above all ids that wait. Dependencies on tasks of which nothing was told yet are waited for.
    void add(const WaitingTasks&);
    /// A task that was started elsewhere or before: it takes what it needs until it has ended. No error if it is known.
    void add_running(std::int64_t id, const WaitingTasks& as);

    /// The task that is to be started now: it counts as running from here on. Cost: O(kinds of need + log n).
    std::optional<std::int64_t> next();
    /// The same for a task that is chosen by its id: of a decision that was made before. False: it does not wait.
    bool claim(std::int64_t id);
    /// next() gave it, and its command was not started: it waits again, in its old place.
    void put_back(std::int64_t id);
    /// What waited for this may start, or never will: those ranges are no longer waiting, and the same has been told of them.
    /// An end also gives back what the task used.
    std::vector<TaskRange> tell(std::int64_t id, TaskEventKind);

    bool is_waiting(std::int64_t id) const;
    bool is_running(std::int64_t id) const { return running_.contains(id); }
    /// Each returns whether the task was waiting.
    bool hold(std::int64_t id);
    bool release(std::int64_t id);
    bool set_priority(std::int64_t id, std::int32_t priority);
    /// To the first place among those of its priority, to the last, or right before another waiting task (whose priority it takes).
    bool move_first(std::int64_t id);
    bool move_last(std::int64_t id);
    bool move_before(std::int64_t id, std::int64_t other);
    /// It will not start: it is not waiting any more. What depends on it is told by tell(id, never_started).
    bool remove(std::int64_t id);

    /// Lets tasks whose time has come into the line. Returns those that have waited for too long: no longer waiting, and not
    /// yet told to others.
    std::vector<TaskRange> advance(WallTime now);
    /// When advance() has something to do next.
    std::optional<WallTime> next_time() const;

    std::size_t waiting_count() const { return waiting_count_; }
    /// Of a task that waits.
    std::optional<std::string> queue_of(std::int64_t id) const;
    std::optional<WaitReasons> why_waiting(std::int64_t id) const;
    std::map<std::string, QueueCounts> counts() const;
    /// Waiting tasks of the queue that have this priority or a higher one.
    std::size_t waiting_at_least(const std::string& queue, std::int32_t priority) const;
    /// The ids of a key, ascending.
    std::vector<std::int64_t> waiting_with_key(const std::string& key) const;
    std::vector<std::int64_t> running_with_key(const std::string& key) const;
    /// The ids that wait in the order in which they would start if all needs were equal; at most so many.
    std::vector<std::int64_t> in_order(std::size_t most) const;
    std::vector<std::int64_t> running_ids() const;
    /// All that wait, as add() takes them, in the order of their ids; and one that runs, as it waited.
    std::vector<WaitingTasks> waiting() const;
    std::optional<WaitingTasks> running(std::int64_t id) const;
    /// The tasks on whose fate others wait.
    std::vector<std::int64_t> depended_on() const;
    /// Whether somebody still waits for that to become of the task.
    bool is_awaited(std::int64_t id, DependsOn) const;

private:
    struct Item {
        std::uint32_t count = 1;
        std::int32_t priority = 0;
        std::int64_t order = 0;
        std::uint32_t shape = 0;
        std::uint32_t group = 0; ///< 0: none
        std::uint32_t unresolved = 0;
        bool held = false;
        bool early = false; ///< its time has not come
        bool hold_on_failure = false;
        std::optional<WallTime> not_before, expires;
    };
    /// What decides who is first: priority, then order, then id.
    struct Rank {
        std::int32_t priority = 0;
        std::int64_t order = 0;
        std::int64_t first = 0;
        bool operator<(const Rank& b) const
        {
            if (priority != b.priority) return priority > b.priority;
            return order != b.order ? order < b.order : first < b.first;
        }
    };
    struct Resource {
        std::string name;
        std::uint64_t capacity = 0;
        std::uint64_t used = 0;
    };
    /// Tasks with equal needs.
    struct Shape {
        std::uint32_t queue = 0;
        std::vector<std::pair<std::uint32_t, std::uint64_t>> needs; ///< resource, amount
        std::set<Rank> line; ///< that can start as soon as there is room
    };
    struct Queue {
        std::string name;
        std::uint32_t slots_resource = 0;
        bool paused = false;
    };
    /// Tasks of which only so many run at once.
    struct Group {
        std::string name; ///< the key; of an array, a NUL byte and its first id
        std::uint32_t max_running = 1;
        std::set<std::int64_t> running;
        std::set<Rank> line;
        std::optional<Rank> shown; ///< the one of `line` that stands in its shape's line, too
    };
    struct Running {
        std::uint32_t shape = 0;
        std::uint32_t group = 0;
        Item item; ///< to be put back
    };
    using Items = std::map<std::int64_t, Item>; ///< by the first id

    std::uint32_t resource(const std::string& name);
    std::uint32_t queue(const std::string& name);
    std::uint32_t shape_for(const WaitingTasks&);
    std::uint32_t group_for(const WaitingTasks&);
    Items::iterator find(std::int64_t id);
    Items::const_iterator find(std::int64_t id) const;
    /// Makes the task an item of its own.
    Items::iterator isolate(std::int64_t id);
    void split_before(Items::iterator, std::int64_t id);
    static Rank rank_of(Items::const_iterator);
    static bool can_line_up(const Item& item) { return !item.held && !item.early && item.unresolved == 0; }
    void line_up(Items::iterator);
    void leave_line(Items::iterator);
    void show_best(std::uint32_t group);
    void erase(Items::iterator);
    bool fits(const Shape&, const std::vector<char>& reserved) const;
    WaitingTasks export_item(std::int64_t first, const Item&) const;
    void start(std::int64_t id);
    void stop_running(std::int64_t id);
    bool resolve(std::int64_t first, std::int64_t task, TaskEventKind);
    void take(const Shape&);
    void give_back(const Shape&);
    std::int64_t place_before(Items::const_iterator) const;

    Items items_;
    std::size_t waiting_count_ = 0;
    std::vector<Resource> resources_;
    std::unordered_map<std::string, std::uint32_t> resource_by_name_;
    std::vector<Queue> queues_;
    std::unordered_map<std::string, std::uint32_t> queue_by_name_;
    std::optional<std::uint32_t> total_slots_;
    std::uint64_t used_slots_ = 0;
    std::vector<Shape> shapes_;
    std::map<std::vector<std::uint64_t>, std::uint32_t> shape_by_needs_;
    std::vector<Group> groups_{Group{}}; ///< 0 is none
    std::unordered_map<std::string, std::uint32_t> group_by_key_;
    std::unordered_map<std::int64_t, Running> running_;
    std::unordered_map<std::int64_t, std::vector<Dependency>> unresolved_; ///< by the first id of the waiting item
    std::unordered_map<std::int64_t, std::set<std::int64_t>> dependants_;  ///< task -> first ids of items that wait for it
    std::multimap<WallTime, std::int64_t> starts_;                          ///< not_before
    std::multimap<WallTime, std::int64_t> ends_;                            ///< expires
};

/// The names of a batch whose dependencies form a circle, in its order ("a", "b", "a"); empty: there is none. `after[i]`
/// holds the positions on which the i-th depends. No recursion.
std::vector<std::size_t> find_cycle(const std::vector<std::vector<std::size_t>>& after);

} // namespace bgt::core
