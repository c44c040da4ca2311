#include <bgt/os/tree.hpp>

#include <bgt/os/proc_dir.hpp>

#include <algorithm>
#include <charconv>
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>
#include <unordered_map>
#include <unordered_set>

namespace bgt::os {

namespace {

using Children = std::unordered_map<std::int32_t, std::vector<std::size_t>>;

Children by_parent(const std::vector<ProcStat>& table)
{
    Children children;
    for (std::size_t at = 0; at < table.size(); ++at) children[table[at].ppid].push_back(at);
    return children;
}

/// Appends what descends from `from`, parents first, each process once.
void add_descendants(const std::vector<ProcStat>& table, const Children& children,
                     std::int32_t from, std::unordered_set<std::int32_t>& seen,
                     std::vector<ProcStat>& out)
{
    std::vector<std::int32_t> queue{from};
    for (std::size_t at = 0; at < queue.size();
         ++at) { // a table read while pids were reused may hold a ring: `seen`
        const auto found = children.find(queue[at]);
        if (found == children.end()) continue;
        for (const std::size_t place : found->second) {
            const ProcStat& child = table[place];
            if (!is_living(child) || !seen.insert(child.key.pid).second) continue;
            out.push_back(child);
            queue.push_back(child.key.pid);
        }
    }
}

/// A chain of processes, each of which starts the next and ends, is always one step ahead of who
/// reads all of /proc.
constexpr int max_chases = 100;

/// A process whose parent ended between the two reads has moved to another parent: ask it again.
void refresh_orphans(const ProcDir& proc, std::vector<ProcStat>& table)
{
    std::unordered_set<std::int32_t> pids;
    for (const ProcStat& stat : table) pids.insert(stat.key.pid);
    for (ProcStat& stat : table) {
        if (stat.ppid == 0 || pids.contains(stat.ppid)) continue;
        if (auto again = proc.stat(stat.key.pid)) stat = std::move(*again);
    }
}

/// nullopt: the kernel has no lists of children, or the ancestor is gone.
std::optional<std::vector<ProcStat>> list_descendants(const ProcDir& proc, std::int32_t ancestor)
{
    std::vector<ProcStat> found;
    std::unordered_set<std::int32_t> seen{ancestor};
    auto first = proc.children(ancestor);
    if (!first) return std::nullopt;
    std::vector<std::int32_t> queue = std::move(*first);
    for (std::size_t at = 0; at < queue.size(); ++at) {
        auto stat = proc.stat(queue[at]);
        if (!stat || !is_living(*stat) || !seen.insert(queue[at]).second) continue;
        const bool one_thread = stat->threads == 1;
        found.push_back(std::move(*stat));
        const auto next =
            one_thread ? proc.children_of_main_thread(queue[at]) : proc.children(queue[at]);
        if (next) queue.insert(queue.end(), next->begin(), next->end());
    }
    return found;
}

std::vector<ProcStat> full_scan(const ProcDir& proc, std::int32_t ancestor)
{
    std::vector<ProcStat> table;
    for (const std::int32_t pid : proc.pids())
        if (auto stat = proc.stat(pid)) table.push_back(std::move(*stat));
    refresh_orphans(proc, table);
    return ProcessTable(std::move(table)).descendants_of(ancestor);
}

/// The value of the variable in the text of /proc/PID/environ.
std::optional<std::string_view> find_variable(std::string_view environment, std::string_view name)
{
    while (!environment.empty()) {
        const std::string_view entry = environment.substr(0, environment.find('\0'));
        environment.remove_prefix(std::min(environment.size(), entry.size() + 1));
        if (entry.size() > name.size() && entry.starts_with(name) && entry[name.size()] == '=')
            return entry.substr(name.size() + 1);
    }
    return std::nullopt;
}

/// The bits of a limit in which a mark stands, and the limits among which marks are looked for.
constexpr std::uint64_t mark_mask = (std::uint64_t{1} << 56) - 1;
constexpr std::uint64_t min_mark = std::uint64_t{1} << 61;

/// What one process of a tree shows of its marks.
class MarkFinder {
public:
    explicit MarkFinder(const TreeMarks& marks) : marks_(marks) {}

    /// Whether it proves that the marks are those of a task that runs.
    bool proves(const ProcStat& stat)
    {
        const std::optional<std::uint32_t> owner = proc_.owner(stat.key.pid);
        const bool is_main = stat.key == marks_.main_process;
        const bool is_own = owner == user_;
        if (!owner || (!is_own && user_ != 0 && !is_main)) return false;
        const std::string environment =
            marks_.cookie.empty() ? "" : proc_.read(stat.key.pid, "environ", 16u << 20);
        const Cookie cookie = find_cookie(environment, marks_.cookie);
        cookies_[stat.key.pid] = cookie;
        const bool proven = marks_.folder ? cookie == Cookie::ours && is_of_folder(environment)
                                          : cookie == Cookie::ours ||
                                                ((is_own || is_main) && has_mark(stat.key.pid));
        proven_ |= proven;
        return proven;
    }

    /// Whether any process has proven it: without that nobody is a member.
    bool is_proven() const { return proven_; }

    /// Of a process that proves nothing itself: whether it belongs to the task that others have
    /// proven.
    bool belongs(const ProcStat& stat) const
    {
        if (!proven_) return false;
        if (stat.key == marks_.main_process) return true;
        const auto seen = cookies_.find(stat.key.pid);
        if (seen == cookies_.end()) return false; // not ours to look at
        if (seen->second == Cookie::ours) return true;
        if (proc_.owner(stat.key.pid) != user_) return false;
        return has_mark(stat.key.pid) || holds_fifo(stat.key.pid) ||
               (seen->second == Cookie::none && in_session(stat));
    }

    bool is_member(const ProcStat& stat) { return proves(stat) || belongs(stat); }

    /// Notes who leads the session now: a pid that another process has can't be this task's
    /// session.
    void look_for_session(const std::vector<ProcStat>& table)
    {
        for (const ProcStat& stat : table)
            if (stat.key.pid == marks_.session && stat.key != marks_.main_process)
                session_reused_ = true;
    }

private:
    bool in_session(const ProcStat& stat) const
    {
        return marks_.session > 0 && !session_reused_ && stat.session == marks_.session;
    }

    bool is_of_folder(std::string_view environment) const
    {
        const std::string path(find_variable(environment, folder_variable).value_or(""));
        struct statx info {};
        if (path.empty() || !stat_handle(AT_FDCWD, path.c_str(), info)) return false;
        return id_of(info) == *marks_.folder;
    }

    /// "Max realtime timeout      4611686018427387903  4611686018427387903  us"
    bool has_mark(std::int32_t pid) const
    {
        if (marks_.mark_bits == 0) return false;
        const std::string limits = proc_.read(pid, "limits", 4096);
        constexpr std::string_view title = "Max realtime timeout";
        const std::size_t at = limits.find(title);
        if (at == std::string::npos) return false;
        std::string_view text = std::string_view(limits).substr(at + title.size());
        text = text.substr(0, text.find('\n'));
        text.remove_prefix(std::min(text.find_first_not_of(' '), text.size()));
        std::uint64_t limit = 0; // "unlimited" stays 0
        std::from_chars(text.data(), text.data() + text.size(), limit);
        return limit >= min_mark && (limit & mark_mask) == (marks_.mark_bits & mark_mask);
    }

    bool holds_fifo(std::int32_t pid) const
    {
        if (marks_.fifo.ino == 0) return false;
        const Fd folder = proc_.open(pid, "fd", O_RDONLY | O_DIRECTORY);
        if (!folder) return false;
        for (const std::int32_t fd : numeric_entries(folder.get())) {
            struct statx info {};
            const std::string name = std::to_string(fd);
            if (!stat_handle(folder.get(), name.c_str(), info)) continue;
            if (id_of(info) == marks_.fifo) return true;
        }
        return false;
    }

    static FileId id_of(const struct statx& info)
    {
        return {::makedev(info.stx_dev_major, info.stx_dev_minor), info.stx_ino};
    }

    const TreeMarks& marks_;
    ProcDir proc_;
    std::uint32_t user_ = ::geteuid();
    std::unordered_map<std::int32_t, Cookie> cookies_; ///< of those that may be looked at
    bool proven_ = false;
    bool session_reused_ = false;
};

} // namespace

std::vector<ProcStat> without_trees(std::vector<ProcStat> processes, std::set<std::int32_t> out)
{
    const auto is_out = [&](const ProcStat& process) {
        if (out.contains(process.ppid)) out.insert(process.key.pid);
        return out.contains(process.key.pid);
    };
    while (std::erase_if(processes, is_out) > 0) {} // again: a child may stand before its parent
    return processes;
}

std::uint64_t choose_mark(std::uint64_t bits)
{
    constexpr std::uint64_t max_mark = min_mark * 2;
    rlimit limit{};
    if (::getrlimit(RLIMIT_RTTIME, &limit) != 0) return 0;
    const std::uint64_t top = std::min<std::uint64_t>(limit.rlim_max, max_mark) - 1;
    std::uint64_t mark = (top & ~mark_mask) | (bits & mark_mask);
    if (mark > top) mark -= mark_mask + 1;
    // Below a limit that somebody really means, there is no room for marks.
    return top < max_mark && mark >= min_mark ? mark : 0;
}

Cookie find_cookie(std::string_view environment, std::string_view wanted)
{
    const std::string prefix = std::string(cookie_variable) + "=";
    Cookie found = Cookie::none;
    while (!environment.empty()) {
        const std::string_view entry = environment.substr(0, environment.find('\0'));
        environment.remove_prefix(std::min(environment.size(), entry.size() + 1));
        if (!entry.starts_with(prefix)) continue;
        found = Cookie::others;
        for (std::string_view rest = entry.substr(prefix.size()); !rest.empty();) {
            const std::string_view element = rest.substr(0, rest.find(':'));
            if (!wanted.empty() && element == wanted) return Cookie::ours;
            rest.remove_prefix(std::min(rest.size(), element.size() + 1));
        }
    }
    return found;
}

std::vector<ProcStat> descendants_of(std::int32_t ancestor)
{
    return descendants_of(ProcDir(), ancestor);
}

std::vector<ProcStat> descendants_of(const ProcDir& proc, std::int32_t ancestor)
{
    auto found = list_descendants(proc, ancestor);
    return found ? *std::move(found) : full_scan(proc, ancestor);
}

std::optional<std::vector<ProcStat>> listed_descendants_of(const ProcDir& proc,
                                                           std::int32_t ancestor)
{
    auto found = list_descendants(proc, ancestor);
    if (!found && proc.children_of_main_thread(own_pid())) found.emplace();
    return found;
}

ProcessTable::ProcessTable(std::vector<ProcStat> processes)
    : processes_(std::move(processes)), children_(by_parent(processes_))
{}

std::vector<ProcStat> ProcessTable::descendants_of(std::int32_t ancestor) const
{
    std::vector<ProcStat> found;
    std::unordered_set<std::int32_t> seen{ancestor};
    add_descendants(processes_, children_, ancestor, seen, found);
    return found;
}

namespace {

/// Those among the processes that were made since the pid `after` was given out, in the order of
/// their pids. What ends while it is looked at may have forked: until nobody new comes, or a member
/// is found that lives.
std::vector<ProcStat> find_newborn(MarkFinder& finder,
                                   const std::unordered_set<std::int32_t>& excluded,
                                   const std::vector<ProcStat>& known, std::int32_t after)
{
    std::unordered_set<std::int32_t> parents;
    for (const ProcStat& stat : known) parents.insert(stat.key.pid);
    std::vector<ProcStat> found;
    const ProcDir proc;
    for (int pass = 0; pass < max_chases && found.empty(); ++pass) {
        const std::int32_t last = proc.newest_pid();
        if (last == after || after == 0) break;
        // Pids that have wrapped around are met by the next look.
        for (std::int32_t pid = after + 1; pid <= last; ++pid) {
            auto stat = excluded.contains(pid) ? std::nullopt : proc.stat(pid);
            if (!stat || !is_living(*stat) ||
                (!parents.contains(stat->ppid) && !finder.is_member(*stat)))
                continue;
            parents.insert(pid);
            found.push_back(std::move(*stat));
        }
        after = last;
    }
    return found;
}

} // namespace

std::vector<ProcStat> find_marked(const TreeMarks& marks, const std::vector<std::int32_t>& except)
{
    const std::int32_t newest = ProcDir().newest_pid();
    const std::vector<ProcStat> table = all_processes();
    const std::unordered_set<std::int32_t> excluded(except.begin(), except.end());
    MarkFinder finder(marks);
    finder.look_for_session(table);

    std::unordered_set<std::int32_t> marked;
    const auto may_be_member = [&](const ProcStat& stat) { // none is older than the main process
        return is_living(stat) && stat.key.start_ticks >= marks.main_process.start_ticks &&
               !excluded.contains(stat.key.pid);
    };
    for (const ProcStat& stat : table)
        if (may_be_member(stat) && finder.proves(stat)) marked.insert(stat.key.pid);
    for (const ProcStat& stat : table)
        if (finder.is_proven() && !marked.contains(stat.key.pid) && may_be_member(stat) &&
            finder.belongs(stat))
            marked.insert(stat.key.pid);

    const Children children = by_parent(table);
    std::vector<ProcStat> found;
    std::unordered_set<std::int32_t> seen = excluded;
    const auto add_tree = [&](const ProcStat& stat) {
        if (!marked.contains(stat.key.pid) || !seen.insert(stat.key.pid).second) return;
        found.push_back(stat);
        add_descendants(table, children, stat.key.pid, seen, found);
    };
    for (const ProcStat& stat : table) // tops first, so that parents stand before their children
        if (!marked.contains(stat.ppid)) add_tree(stat);
    for (const ProcStat& stat : table) add_tree(stat);
    for (ProcStat& stat : find_newborn(finder, seen, found, newest))
        found.push_back(std::move(stat));
    return found;
}

Usage usage_of(const std::vector<ProcStat>& processes)
{
    Usage usage;
    for (const ProcStat& stat : processes) {
        usage.cpu_ticks += stat.cpu_ticks;
        usage.rss_bytes += stat.rss_bytes;
        ++usage.processes;
    }
    return usage;
}

} // namespace bgt::os
