#pragma once
/// Which waiting task starts next: queues with slots, named resources, dependencies, keys. No
/// clock, no I/O; the order of the calls decides, so the same journal gives the same queue.
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
/// Whether nothing follows it.
constexpr bool is_end(TaskEventKind event)
{
    return event != TaskEventKind::started && event != TaskEventKind::ready;
}

/// So much of a named resource.
struct Amount {
    std::string name;
    std::uint64_t amount = 0;
    bool operator==(const Amount&) const = default;
};

/// `count` waiting tasks with the ids first, first + 1 and so on, which differ in nothing that
/// matters here. 0: none.
struct WaitingTasks {
    std::int64_t first = 0;
    std::uint32_t count = 1;
    std::string queue = "default";
    std::int32_t priority = 0;     ///< higher first
    std::uint32_t slots = 1;       ///< of the queue, each
    std::vector<Amount> needs;     ///< of the resources, each; amounts of one name add up
    std::vector<Dependency> after; ///< all must hold
    bool hold_on_failure =
        false;       ///< a dependency that can't hold any more: held; else never started
    std::string key; ///< at most one task of a key runs at once; empty: none
    std::uint32_t max_running = 0; ///< of these tasks at once; 0: no limit. A key counts instead
    std::int64_t array = 0; ///< the first id of the array whose max_running they share; 0: `first`
    std::optional<std::int64_t>
        order; ///< their place in the line where it is not that of their submission
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
    std::optional<std::int64_t>
        key_holder; ///< a running task with its key, or of its array that is at its limit
    std::optional<std::int64_t>
        behind; ///< a task that comes first and lacks something that this one needs, too
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
    // What can be used. A queue without limits has one slot; a resource that was never set has a
    // capacity of 0.
    void set_queue(const std::string& name, const QueueLimits&);
    void set_total_slots(std::optional<std::uint32_t>);
    void set_resource(const std::string& name, std::uint64_t capacity);

    /// Their ids are above all ids that wait; they come last, or where `order` says. What was told
    /// before is not remembered: the caller leaves out the dependencies that hold already.
    void add(const WaitingTasks&);
    /// A task that was started elsewhere or before: it takes what it needs until it has ended. One
    /// that waits is claimed. No error if it runs already.
    void add_running(std::int64_t id, const WaitingTasks& as);

    /// The task that is to be started now: it counts as running from here on. It is the first of
    /// the line for which there is room. One for which there is none reserves what it lacks: a
    /// later one may pass only if it needs none of that. (One that needs more than there is at all
    /// reserves nothing: its turn would never come.) Cost: O(kinds of need + log n).
    std::optional<std::int64_t> next();
    /// The same for a task that is chosen by its id: of a decision that was made before. What it
    /// still waited for (release, dependencies, a time) counts as given. False: it does not wait.
    bool claim(std::int64_t id);
    /// It runs here, and its command was not started: it waits again, in its old place.
    void put_back(std::int64_t id);
    /// What waited for this may start, or never will: those ranges are no longer waiting, and the
    /// same has been told of them. An end also gives back what the task used.
    std::vector<TaskRange> tell(std::int64_t id, TaskEventKind);

    bool is_waiting(std::int64_t id) const;
    bool is_running(std::int64_t id) const { return running_.contains(id); }
    /// Each returns whether the task was waiting.
    bool hold(std::int64_t id);
    bool release(std::int64_t id);
    bool set_priority(std::int64_t id, std::int32_t priority);
    /// To the first place among those of its priority, to the last, or right before another waiting
    /// task (whose priority it takes).
    bool move_first(std::int64_t id);
    bool move_last(std::int64_t id);
    bool move_before(std::int64_t id, std::int64_t other);
    /// It will not start: it is not waiting any more. What depends on it is told by tell(id,
    /// never_started).
    bool remove(std::int64_t id);

    /// Lets tasks whose time has come into the line. Returns those that have waited for too long:
    /// no longer waiting, and not yet told to others.
    std::vector<TaskRange> advance(WallTime now);
    /// When advance() has something to do next; nullopt: nothing that waits has a time.
    std::optional<WallTime> next_time() const;

    std::size_t waiting_count() const { return waiting_count_; }
    /// Of a task that waits.
    std::optional<std::string> queue_of(std::int64_t id) const;
    /// Before which it is not started; nullopt: it has no such time, or that has come.
    std::optional<WallTime> not_before(std::int64_t id) const;
    std::optional<WaitReasons> why_waiting(std::int64_t id) const;
    std::map<std::string, QueueCounts> counts() const;
    /// Waiting tasks of the queue that have this priority or a higher one.
    std::size_t waiting_at_least(const std::string& queue, std::int32_t priority) const;
    /// The ids of a key, ascending.
    std::vector<std::int64_t> waiting_with_key(const std::string& key) const;
    std::vector<std::int64_t> running_with_key(const std::string& key) const;
    /// The ids that wait in the order in which they would start if all needs were equal; at most so
    /// many.
    std::vector<std::int64_t> in_order(std::size_t most) const;
    std::vector<std::int64_t> running_ids() const;
    /// All that wait, as add() takes them, in the order of their ids; and one that runs, as it
    /// waited.
    std::vector<WaitingTasks> waiting() const;
    /// The first ids of those alone, which takes little memory.
    std::vector<std::int64_t> waiting_firsts() const;
    std::optional<WaitingTasks> running(std::int64_t id) const;
    /// The tasks on whose fate others wait.
    std::vector<std::int64_t> depended_on() const;
    /// Whether somebody still waits for that to become of the task.
    bool is_awaited(std::int64_t id, DependsOn) const;

private:
    struct Item {
        std::uint32_t count = 1;
        std::int32_t priority = 0;
        std::int64_t order = 0; ///< of the first; each further one stands one step behind
        std::uint32_t shape = 0;
        std::uint32_t group = 0; ///< 0: none
        std::uint32_t unresolved = 0;
        bool held = false;
        bool early = false; ///< its time has not come
        bool hold_on_failure = false;
        std::optional<WallTime> not_before, expires;
    };
    /// What decides who is first: priority, then order. No two tasks have the same order.
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
        std::uint64_t free() const { return capacity > used ? capacity - used : 0; }
    };
    /// Tasks with equal needs.
    struct Shape {
        std::uint32_t queue = 0;
        /// Resource and amount: the total slots, those of the queue, and what has a name.
        std::vector<std::pair<std::uint32_t, std::uint64_t>> needs;
        std::set<Rank> line;     ///< that can start as soon as there is room
        std::uint32_t items = 0; ///< that are of this shape
        std::vector<std::uint64_t> key() const;
    };
    struct Queue {
        std::string name;
        std::uint32_t slots_resource = 0;
        bool paused = false;
    };
    /// Tasks of which only so many run at once. While there is room, the first of each shape stands
    /// in the shape's line, too.
    struct Group {
        std::string name; ///< the key; of an array, a NUL byte and its first id
        std::uint32_t max_running = 1;
        std::set<std::int64_t> running;
        std::set<std::pair<std::uint32_t, Rank>> line; ///< by shape
        std::uint32_t items = 0;
    };
    /// A dependency; `open`: it does not hold yet.
    struct Pending {
        std::int64_t task = 0;
        DependsOn on = DependsOn::ok;
        bool open = true;
    };
    using Items = std::map<std::int64_t, Item>; ///< by the first id
    using Times = std::set<std::pair<WallTime, std::int64_t>>;
    using Heads = std::vector<std::pair<Rank, std::uint32_t>>;

    std::uint32_t resource(const std::string& name);
    std::uint32_t queue(const std::string& name);
    std::uint32_t shape_for(const WaitingTasks&);
    std::uint32_t find_shape(const WaitingTasks&);
    bool is_like_newest(const WaitingTasks&) const;
    std::uint32_t group_for(const WaitingTasks&);
    void count_item(const Item&);
    void discount_item(const Item&);
    Item make_item(const WaitingTasks&);
    Items::iterator find(std::int64_t id);
    Items::const_iterator find(std::int64_t id) const;
    Items::iterator put_in(std::int64_t first, const Item&);
    Item take_out(Items::iterator);
    /// Makes the task an item of its own.
    Items::iterator isolate(std::int64_t id);
    void split_before(Items::iterator, std::int64_t id);
    static Rank rank_of(Items::const_iterator);
    static bool can_line_up(const Item& item)
    {
        return !item.held && !item.early && item.unresolved == 0;
    }
    void line_up(Items::iterator);
    void leave_line(Items::iterator);
    static std::vector<std::pair<std::uint32_t, Rank>> heads_of(const Group&);
    void show(std::uint32_t group);
    void hide(std::uint32_t group);
    void erase(Items::iterator);
    Heads heads() const;
    bool fits(const Shape&, const std::vector<char>& reserved) const;
    void reserve(const Shape&, std::vector<char>& reserved) const;
    std::optional<std::int64_t> who_reserved(const Shape&, const Rank& before) const;
    WaitingTasks export_item(std::int64_t first, const Item&) const;
    void run(std::int64_t id, const Item&);
    std::optional<Item> stop_running(std::int64_t id);
    void add_dependencies(std::int64_t first, const std::vector<Pending>&);
    void forget_dependency(std::int64_t first, std::int64_t task);
    bool resolve(std::int64_t first, std::int64_t task, TaskEventKind);
    std::vector<Dependency> open_dependencies(std::int64_t first) const;
    std::optional<std::int64_t> place_before(std::int64_t id, const Item& target);
    void renumber();

    Items items_;
    std::size_t waiting_count_ = 0;
    std::int64_t first_order_ = 0,
                 end_order_ = 0; ///< of all that wait or run: the lowest, and behind the highest
    std::vector<Resource> resources_{{"total slots", UINT64_MAX, 0}};
    std::unordered_map<std::string, std::uint32_t> resource_by_name_;
    std::vector<Queue> queues_;
    std::unordered_map<std::string, std::uint32_t> queue_by_name_;
    std::vector<Shape> shapes_;
    std::vector<std::uint32_t> free_shapes_;
    std::uint32_t newest_shape_ = UINT32_MAX; ///< that a task was added to
    std::map<std::vector<std::uint64_t>, std::uint32_t> shape_by_needs_;
    std::vector<Group> groups_{Group{}}; ///< 0 is none
    std::vector<std::uint32_t> free_groups_;
    std::unordered_map<std::string, std::uint32_t> group_by_key_;
    std::unordered_map<std::int64_t, Item> running_; ///< as they wait when they are put back
    std::unordered_map<std::int64_t, std::vector<Pending>>
        unresolved_; ///< by the first id of the waiting item; sorted
    std::unordered_map<std::int64_t, std::set<std::int64_t>>
        dependants_; ///< task -> first ids of items that wait for it
    Times starts_;   ///< not_before
    Times ends_;     ///< expires
};

/// The names of a batch whose dependencies form a circle, in its order ("a", "b", "a"); empty:
/// there is none. `after[i]` holds the positions on which the i-th depends. No recursion.
std::vector<std::size_t> find_cycle(const std::vector<std::vector<std::size_t>>& after);

} // namespace bgt::core
