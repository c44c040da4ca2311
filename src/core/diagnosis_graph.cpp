// Who waits for whom in the tree, and where the chains end.
#include "diagnosis.hpp"

#include <algorithm>
#include <deque>
#include <fmt/format.h>
#include <utility>

namespace bgt::core::detail {

namespace {

constexpr std::size_t nobody = static_cast<std::size_t>(-1);

bool tells_little(const Finding& finding)
{
    return finding.verdict == Verdict::waits_child ||
           says_more(Verdict::waits_child, finding.verdict);
}

/// From steps to ways.
void close(std::vector<std::vector<bool>>& ways)
{
    for (std::size_t by = 0; by < ways.size(); ++by)
        for (std::size_t from = 0; from < ways.size(); ++from)
            for (std::size_t to = 0; ways[from][by] && to < ways.size(); ++to)
                if (ways[by][to]) ways[from][to] = true;
}

/// "flock (pid 5) waits for the flock that flock (pid 3) holds on /t/l"; empty: it waits for no
/// lock of a known holder.
std::string lock_words(const Facts& facts, const Finding& finding)
{
    const LockEvidence* lock =
        finding.verdict == Verdict::waits_lock ? facts.lock_of(finding.pid) : nullptr;
    const ProcessEvidence* waiter = facts.process(finding.pid);
    const ProcessEvidence* holder = lock ? facts.process(lock->holder) : nullptr;
    if (!waiter || !holder) return {};
    std::string path = lock->path;
    for (const auto& thread : waiter->threads)
        if (path.empty() && thread.call == Call::lock && !thread.handles.empty())
            path = thread.handles.front().text;
    return fmt::format("{} waits for the {} that {} holds{}", name_of(*waiter), lock->kind,
                       name_of(*holder), path.empty() ? "" : " on " + path);
}

/// The sentence without the word before it: "idle: x waits" is "x waits".
std::string without_verdict(const std::string& sentence)
{
    const auto colon = sentence.find(": ");
    return colon == sentence.npos ? sentence : sentence.substr(colon + 2);
}

} // namespace

Graph::Graph(const Facts& facts, std::vector<Finding> findings)
    : facts_(facts), findings_(std::move(findings))
{
    const std::size_t count = findings_.size();
    edges_.resize(count);
    reaches_.assign(count, std::vector<bool>(count, false));
    needs_ = reaches_;
    const auto add = [&](std::size_t from, const std::vector<std::int32_t>& pids, bool needed) {
        for (const std::int32_t pid : pids) {
            const std::size_t to = index_of(pid);
            if (to == nobody || to == from) continue;
            edges_[from].push_back(to);
            reaches_[from][to] = true;
            if (needed) needs_[from][to] = true;
        }
    };
    for (std::size_t from = 0; from < count; ++from) {
        add(from, findings_[from].waits_for, true);
        add(from, findings_[from].may_wait_for, false);
    }
    close(reaches_);
    close(needs_);
}

std::size_t Graph::index_of(std::int32_t pid) const
{
    for (std::size_t i = 0; i < findings_.size(); ++i)
        if (findings_[i].pid == pid) return i;
    return nobody;
}

/// One that waits for nobody of the tree, or one of a circle that nobody outside of it can open.
bool Graph::ends_a_chain(std::size_t at) const
{
    if (findings_[at].waits_for.empty() || edges_[at].empty()) return true;
    for (std::size_t other = 0; other < findings_.size(); ++other)
        if (needs_[at][other] && !needs_[other][at]) return false;
    return true;
}

/// In a circle, of which nobody looks again by itself.
bool Graph::is_in_circle(std::size_t at) const
{
    if (!needs_[at][at]) return false;
    for (std::size_t other = 0; other < findings_.size(); ++other)
        if (needs_[at][other] && findings_[other].timed) return false;
    return true;
}

/// Of several that read, a child is nearer to who asks: `script` hands on what `ssh-keygen` wants
/// to know.
Finding Graph::best_of(const std::vector<std::size_t>& places) const
{
    Finding best{Verdict::unknown, {}, {}, 0, {}};
    for (const std::size_t at : places) {
        Finding finding = is_in_circle(at) ? circle_of(at) : findings_[at];
        const bool reads_as_well =
            finding.verdict == Verdict::waiting_input && best.verdict == Verdict::waiting_input;
        if (best.sentence.empty() || says_more(finding.verdict, best.verdict) || reads_as_well)
            best = std::move(finding);
    }
    return best;
}

Finding Graph::circle_of(std::size_t at) const
{
    std::string names, locks;
    std::size_t members = 0, writers = 0, shown = 0, named = 0;
    const Finding* writer = nullptr;
    for (std::size_t other = 0; other < findings_.size(); ++other) {
        if (!needs_[at][other]) continue;
        ++members;
        const Finding& finding = findings_[other];
        if (finding.verdict == Verdict::waits_pipe_reader) ++writers, writer = &finding;
        if (const std::string words = lock_words(facts_, finding); !words.empty() && ++named <= 3)
            locks += (locks.empty() ? "" : ", and ") + words;
        const auto* process = facts_.process(finding.pid);
        if (!process || ++shown > 3) continue;
        names += (names.empty() ? "" : ", ") + name_of(*process);
        if (const std::string words = wait_words(*process); !words.empty()) names += " " + words;
    }
    if (writers == 1 && locks.empty())
        return *writer; // its reader polls that very pipe: it moves as soon as it runs
    Finding circle{Verdict::deadlock, {}, {}, findings_[at].pid, {}};
    if (named == 1) circle.sentence = fmt::format("deadlock: {}, which waits for it", locks);
    else if (named > 1) circle.sentence = fmt::format("deadlock: {}", locks);
    else
        circle.sentence = fmt::format("deadlock: {} processes wait for each other: {}{}", members,
                                      names, without_cpu(facts_.evidence()));
    return circle;
}

Finding Graph::cause() const
{
    std::vector<std::size_t> all, from_main;
    for (std::size_t at = 0; at < findings_.size(); ++at) {
        if (!ends_a_chain(at)) continue;
        all.push_back(at);
        if (at == 0 || reaches_[0][at]) from_main.push_back(at);
    }
    Finding best = best_of(from_main);
    if (best.sentence.empty() || tells_little(best))
        if (Finding other = best_of(all);
            best.sentence.empty() || says_more(other.verdict, best.verdict)) {
            best = std::move(other);
            if (best.doubt.empty() && !from_main.empty())
                best.doubt = "it is not seen that the main process waits for it";
        }
    const std::size_t at = index_of(best.pid);
    if (auto told = held_by(best, at)) return std::move(*told);
    if (auto told = kept_open_by(best, at)) return std::move(*told);
    // A holder that keeps others waiting is the cause for them too.
    if (at == nobody || best.verdict == Verdict::deadlock || best.verdict == Verdict::waits_lock)
        return best;
    for (std::size_t other = 0; other < findings_.size(); ++other)
        if (const std::string words = lock_words(facts_, findings_[other]);
            reaches_[other][at] && !words.empty()) {
            if (best.verdict == Verdict::blocked)
                return findings_[other]; // of the holder nothing more can be said
            best.sentence += "; " + words;
            break;
        }
    return best;
}

/// A debugger that waits itself: what it holds is the cause, or belongs to it.
std::optional<Finding> Graph::held_by(const Finding& best, std::size_t at) const
{
    for (const Finding& held : findings_) {
        const ProcessEvidence* process = facts_.process(held.pid);
        if (at == nobody || !process || held.verdict != Verdict::stopped ||
            process->tracer != best.pid)
            continue;
        Finding told = best.verdict == Verdict::waiting_input ? best : held;
        if (best.verdict == Verdict::waiting_input)
            told.sentence += fmt::format("; it holds {} as its debugger", name_of(*process));
        else told.sentence += "; " + without_verdict(best.sentence);
        return told;
    }
    return std::nullopt;
}

/// `v=$(daemon & echo started)`: the daemon has inherited the pipe and lives on. What it waits for
/// is its own business; who reads the pipe waits for its end.
std::optional<Finding> Graph::kept_open_by(const Finding& best, std::size_t at) const
{
    const ProcessEvidence* daemon = facts_.process(best.pid);
    const bool rests = best.verdict == Verdict::idle || best.verdict == Verdict::sleeping ||
                       best.verdict == Verdict::polling || best.verdict == Verdict::waits_file ||
                       best.verdict == Verdict::blocked;
    if (at == nobody || at == 0 || !daemon || !rests || index_of(daemon->ppid) != nobody ||
        daemon->recent_written.value_or(0) != 0)
        return std::nullopt;
    for (std::size_t reader = 0; reader < findings_.size(); ++reader) {
        const Finding& finding = findings_[reader];
        const ProcessEvidence* process = facts_.process(finding.pid);
        const auto& others = finding.waits_for;
        const bool from_main = reader == 0 || reaches_[0][reader];
        if (!process || !from_main || finding.verdict != Verdict::waits_pipe_writer ||
            std::find(others.begin(), others.end(), best.pid) == others.end())
            continue;
        const bool reads =
            std::any_of(process->threads.begin(), process->threads.end(),
                        [](const auto& thread) { return thread.call == Call::read; });
        if (!reads) continue;
        Finding told = finding;
        told.sentence = fmt::format(
            "waits for a writer: {} waits for the end of a pipe that {} still holds open; {}",
            name_of(*process), name_of(*daemon), without_verdict(best.sentence));
        told.hint = fmt::format("or end pid {}, or start it with its output redirected", best.pid);
        return told;
    }
    return std::nullopt;
}

std::vector<std::string> Graph::chain_to(std::int32_t pid) const
{
    const std::size_t goal = index_of(pid);
    std::vector<std::string> lines;
    if (goal == nobody || goal == 0 || findings_.empty()) return lines;
    std::vector<std::size_t> before(findings_.size(), nobody);
    std::deque<std::size_t> todo{0};
    while (!todo.empty() && before[goal] == nobody) {
        const std::size_t at = todo.front();
        todo.pop_front();
        for (const std::size_t next : edges_[at])
            if (next != 0 && before[next] == nobody) {
                before[next] = at;
                todo.push_back(next);
            }
    }
    if (before[goal] == nobody) return lines;
    for (std::size_t at = goal; at != nobody; at = before[at])
        if (const auto* process = facts_.process(findings_[at].pid))
            lines.insert(lines.begin(),
                         fmt::format("{} {}", name_of(*process), wait_words(*process)));
    return lines;
}

} // namespace bgt::core::detail
