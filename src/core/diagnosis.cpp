#include "diagnosis.hpp"

#include <bgt/base/size.hpp>
#include <bgt/core/share.hpp>

#include <algorithm>
#include <fmt/format.h>
#include <unordered_set>
#include <utility>

namespace bgt::core {

namespace {

using detail::Facts;
using detail::Finding;
using detail::Graph;

constexpr double shown_share = 0.01; ///< of one core
constexpr double busy_share = 0.05;  ///< of one core: clearly more than a poll loop takes
constexpr Duration still_writes = std::chrono::seconds(2);
constexpr int much_longer =
    4; ///< how often the age of bytes fits in that of text where output repeats itself

std::uint64_t moved_by(const ProcessEvidence& process)
{
    return process.recent_written.value_or(0) + process.recent_read.value_or(0);
}

/// The process that did most lately: the most CPU, or where that is next to nothing the most bytes.
struct Worker {
    const ProcessEvidence* process = nullptr;
    double share = 0; ///< of a core
    double bytes = 0; ///< read and written, a second
};

Worker busiest(const Evidence& evidence)
{
    Worker worker;
    const ProcessEvidence* mover = nullptr;
    if (!evidence.recent_span || *evidence.recent_span <= Duration::zero()) return worker;
    const double span = std::chrono::duration<double>(*evidence.recent_span).count();
    const bool has_share = *evidence.recent_span >= min_share_span;
    for (const auto& process : evidence.processes) {
        if (process.recent_cpu &&
            (!worker.process || *process.recent_cpu > *worker.process->recent_cpu))
            worker.process = &process;
        if (moved_by(process) > (mover ? moved_by(*mover) : 0)) mover = &process;
    }
    if (worker.process && has_share)
        worker.share = std::chrono::duration<double>(*worker.process->recent_cpu).count() / span;
    if (mover && has_share) worker.bytes = static_cast<double>(moved_by(*mover)) / span;
    if (mover && has_share && worker.share < shown_share) worker.process = mover;
    else if (worker.process && worker.process->recent_cpu->count() == 0)
        worker.process = nullptr; // nobody did anything
    return worker;
}

/// Output goes on and says nothing new.
bool repeats_itself(const Evidence& evidence)
{
    const auto& ages = evidence.ages;
    return ages.byte && ages.text && *ages.text > std::chrono::seconds(1) &&
           *ages.byte * much_longer < *ages.text;
}

std::string share_words(double share)
{
    return fmt::format("{:.0f} % of a core", share * 100);
}

Finding find_spinning(const Evidence& evidence, const Worker& worker)
{
    const auto* who = worker.share >= shown_share ? worker.process : nullptr;
    const std::string name = who ? detail::name_of(*who) : "the task";
    std::string sentence =
        fmt::format("spinning: {} writes again and again, and nothing new for {}", name,
                    format_age(*evidence.ages.text));
    if (who) sentence += " (" + share_words(worker.share) + ")";
    return {Verdict::spinning, sentence + detail::last_text(evidence), {}, who ? who->pid : 0, {}};
}

Finding find_busy(const Evidence& evidence, const Worker& worker)
{
    const auto* who = worker.process;
    std::string sentence = "busy: " + (who ? detail::name_of(*who) : std::string("the task"));
    if (worker.share >= shown_share) sentence += " uses " + share_words(worker.share);
    else if (who && worker.bytes >= 1)
        sentence +=
            fmt::format(" moves {}/s", format_size(static_cast<std::uint64_t>(worker.bytes)));
    else sentence += " works";
    if (evidence.ages.byte)
        sentence += fmt::format(", no output for {}", format_age(*evidence.ages.byte));
    return {Verdict::busy, std::move(sentence), {}, who ? who->pid : 0, {}};
}

/// Who waited longest for a CPU; nullptr: nobody waits for one.
const ProcessEvidence* max_starved(const Evidence& evidence)
{
    const ProcessEvidence* most = nullptr;
    for (const auto& process : evidence.processes)
        if (detail::is_starved(evidence, process) &&
            (!most || *process.recent_wait > *most->recent_wait))
            most = &process;
    return most;
}

Finding find_starved(const Evidence& evidence, const ProcessEvidence& process)
{
    const auto share = [&](Duration part) {
        return std::chrono::duration<double>(part) /
               std::chrono::duration<double>(*evidence.recent_span);
    };
    std::string sentence = fmt::format("busy: {} waits for a CPU: it waited for {:.0f} % of the "
                                       "last {}",
                                       detail::name_of(process), share(*process.recent_wait) * 100,
                                       format_age(*evidence.recent_span));
    if (process.recent_cpu)
        sentence += fmt::format(" and got {:.1f} % of a core", share(*process.recent_cpu) * 100);
    std::string why;
    if (const auto& machine = evidence.machine; machine.load && machine.cores != 0)
        why = fmt::format("load {:.1f} on {} core{}", *machine.load, machine.cores,
                          machine.cores == 1 ? "" : "s");
    if (process.nice > 0) why += fmt::format("{}nice {}", why.empty() ? "" : ", ", process.nice);
    if (!why.empty()) sentence += fmt::format(" ({})", why);
    return {Verdict::busy, std::move(sentence), {}, process.pid, {}};
}

Graph graph_of(const Facts& facts)
{
    std::vector<Finding> findings;
    for (const auto& process : facts.evidence().processes)
        if (!detail::is_zombie(process)) findings.push_back(detail::find_of(facts, process));
    return {facts, std::move(findings)};
}

/// A loop that was met awake, though the measured activity says nothing of work: it runs at this
/// moment, or one of its commands has just ended and the next has not begun.
std::optional<Finding> find_awake(const Facts& facts, const Finding& finding)
{
    const Evidence& evidence = facts.evidence();
    const ProcessEvidence* who = facts.process(finding.pid);
    const auto silence = detail::silence(evidence);
    const Duration quiet = silence.value_or(evidence.processes.front().age);
    const bool rests =
        evidence.activity == Activity::trickle || evidence.activity == Activity::blocked;
    if (!who || !rests || quiet < std::chrono::seconds(1)) return std::nullopt;
    const bool worked = evidence.ages.cpu && *evidence.ages.cpu * much_longer < quiet;
    const bool between = finding.verdict == Verdict::waits_child && finding.waits_for.empty() &&
                         who->thread_count <= 1 && worked;
    const bool runs = finding.verdict == Verdict::busy && detail::is_awake(*who);
    if (!runs && !between) return std::nullopt;
    std::string sentence = fmt::format("polling: {} {}", detail::name_of(*who),
                                       between ? "runs one short command after the other"
                                               : "runs for a moment now and then");
    if (silence) sentence += fmt::format(", nothing new for {}", format_age(*silence));
    Finding loop{Verdict::polling, sentence + detail::last_text(evidence), {}, who->pid, {}};
    if (runs && !who->recent_wait)
        loop.doubt = "it runs at this moment, and may have waited for a CPU before";
    return loop;
}

/// A young sleep under an old parent that waits for it: `until try; do sleep 1; done`.
std::optional<Finding> find_loop(const Facts& facts, const Finding& finding)
{
    if (finding.verdict != Verdict::sleeping && finding.verdict != Verdict::polling)
        return std::nullopt;
    const ProcessEvidence* child = facts.process(finding.pid);
    const ProcessEvidence* parent = child ? facts.process(child->ppid) : nullptr;
    if (!parent || child->age * much_longer >= parent->age) return std::nullopt;
    const bool sleeps = child->threads.size() == 1 && child->threads.front().call == Call::sleep;
    const bool waited_for =
        std::any_of(parent->threads.begin(), parent->threads.end(),
                    [](const auto& thread) { return thread.call == Call::wait_child; });
    const auto quiet = detail::silence(facts.evidence());
    if (!sleeps || !waited_for || (quiet && child->age * much_longer >= *quiet))
        return std::nullopt;
    const auto& limit = child->threads.front().timeout;
    std::string sentence = fmt::format("polling: {} looks again and again, with {}{} between",
                                       detail::name_of(*parent), child->comm,
                                       limit ? " " + detail::nap_words(*limit) : "");
    if (quiet) sentence += fmt::format(", nothing new for {}", format_age(*quiet));
    return Finding{
        Verdict::polling, sentence + detail::last_text(facts.evidence()), {}, parent->pid, {}};
}

/// Verdicts that a working neighbour or a repainted line does not outweigh.
bool is_certain(Verdict verdict)
{
    switch (verdict) {
    case Verdict::waiting_input:
    case Verdict::stopped:
    case Verdict::deadlock:
    case Verdict::unkillable:
    case Verdict::waits_lock:
    case Verdict::waits_pipe_reader: return true;
    case Verdict::connecting:
    case Verdict::waits_network:
    case Verdict::waits_peer:
    case Verdict::waits_pipe_writer:
    case Verdict::waits_file:
    case Verdict::zombie_parent:
    case Verdict::waits_child:
    case Verdict::polling:
    case Verdict::sleeping:
    case Verdict::spinning:
    case Verdict::idle:
    case Verdict::busy:
    case Verdict::blocked:
    case Verdict::unknown: return false;
    }
    return false;
}

Finding decide(const Facts& facts, const Graph& graph)
{
    const Evidence& evidence = facts.evidence();
    const Worker worker = busiest(evidence);
    const auto* starved = worker.share < busy_share ? max_starved(evidence) : nullptr;
    const bool works = starved || evidence.activity == Activity::busy || worker.share >= busy_share;
    if (works && !evidence.paused) {
        if (repeats_itself(evidence)) return find_spinning(evidence, worker);
        return starved ? find_starved(evidence, *starved) : find_busy(evidence, worker);
    }
    Finding finding = graph.cause();
    if (auto loop = find_loop(facts, finding)) return std::move(*loop);
    if (auto loop = find_awake(facts, finding))
        return repeats_itself(evidence) ? find_spinning(evidence, worker) : std::move(*loop);
    if (is_certain(finding.verdict) || finding.verdict == Verdict::busy) return finding;
    // A server that also watches its sources, as those for development do, waits for requests.
    const bool may_serve =
        (evidence.kind == Kind::service && finding.verdict != Verdict::connecting) ||
        finding.verdict == Verdict::waits_file;
    if (may_serve)
        if (const std::string places = detail::listening_on(evidence);
            !places.empty() && finding.verdict != Verdict::idle) {
            const auto* process = facts.process(evidence.processes.front().pid);
            finding = {Verdict::idle,
                       fmt::format("idle: {} waits for connections on {}",
                                   detail::name_of(*process), places),
                       {},
                       process->pid,
                       {}};
        }
    if (finding.verdict == Verdict::polling && !detail::trouble_in(evidence).empty())
        return finding; // it writes that it tries again
    // What repaints with less than a tick of CPU counts as `blocked`: its bytes tell.
    const bool vague = !detail::says_more(finding.verdict, Verdict::waits_child);
    const bool writes = evidence.ages.byte && *evidence.ages.byte < still_writes;
    if (vague && (evidence.activity != Activity::blocked || writes) && repeats_itself(evidence))
        return find_spinning(evidence, worker);
    return finding;
}

bool is_about_work(Verdict verdict)
{
    return verdict == Verdict::busy || verdict == Verdict::spinning ||
           verdict == Verdict::polling || verdict == Verdict::idle;
}

/// What speaks against it, or keeps it from being sure.
void weigh(const Facts& facts, const Finding& finding, Diagnosis& diagnosis)
{
    const Evidence& evidence = facts.evidence();
    const auto doubt = [&](Certainty certainty, std::string why) {
        diagnosis.certainty = certainty;
        diagnosis.doubt = std::move(why);
    };
    diagnosis.certainty = Certainty::sure;
    const auto* process = facts.process(finding.pid);
    if (evidence.processes.empty()) return doubt(Certainty::unsure, {});
    const bool is_dark = finding.verdict == Verdict::blocked && !finding.known;
    if (is_dark || finding.verdict == Verdict::unknown || finding.verdict == Verdict::waits_child)
        return doubt(Certainty::unsure, finding.doubt.empty()
                                            ? "it can't be seen what would end its wait"
                                            : finding.doubt);
    if (process && !is_about_work(finding.verdict)) {
        if (process->recent_cpu && *process->recent_cpu >= detail::much_cpu)
            return doubt(Certainty::unsure,
                         fmt::format("it has used {} of CPU since the look before",
                                     detail::nap_words(*process->recent_cpu)));
        if (evidence.activity == Activity::trickle && process->recent_written.value_or(0) != 0)
            return doubt(Certainty::unsure, fmt::format("it has written {} since the look before",
                                                        format_size(*process->recent_written)));
    }
    if (!finding.doubt.empty()) return doubt(Certainty::likely, finding.doubt);
    if (!evidence.complete) return doubt(Certainty::likely, "not all could be gathered in time");
    if (evidence.more_processes != 0)
        return doubt(Certainty::likely,
                     fmt::format("{} more processes were not looked at", evidence.more_processes));
}

} // namespace

Diagnosis diagnose(const Evidence& evidence)
{
    Diagnosis diagnosis;
    const Facts facts(evidence);
    const bool nobody =
        std::all_of(evidence.processes.begin(), evidence.processes.end(), detail::is_zombie);
    Finding finding{Verdict::unknown, {}, {}, 0, {}};
    if (evidence.processes.empty()) {
        finding.sentence = evidence.complete ? "no process of the task is left"
                                             : "the task could not be looked at in time";
    } else if (nobody && detail::has_just_ended(evidence.processes.front())) {
        finding.sentence =
            fmt::format("{} ended a moment ago", detail::name_of(evidence.processes.front()));
        finding.doubt = "its supervisor may not have had the time to take note of it";
    } else if (nobody) {
        finding = {Verdict::zombie_parent,
                   fmt::format("zombie: {} has ended, and nobody has taken note of it",
                               detail::name_of(evidence.processes.front())),
                   {},
                   evidence.processes.front().pid,
                   {}};
    } else {
        const Graph graph = graph_of(facts);
        finding = decide(facts, graph);
        diagnosis.chain = graph.chain_to(finding.pid);
    }
    weigh(facts, finding, diagnosis);
    diagnosis.next = detail::next_command(facts, finding);
    diagnosis.verdict = finding.verdict;
    diagnosis.sentence = std::move(finding.sentence);
    diagnosis.hint = std::move(finding.hint);
    diagnosis.pid = finding.pid;
    return diagnosis;
}

void recall(Evidence& evidence, const Evidence& earlier)
{
    constexpr Duration slack =
        std::chrono::seconds(2); // ages are told in whole ticks, and clocks are set
    const Duration between = std::chrono::duration_cast<Duration>(evidence.at - earlier.at);
    for (const auto& dump : earlier.dumps) {
        if (!dump.deadlock.value_or(false)) continue;
        const auto is_it = [&](const auto& process) { return process.pid == dump.pid; };
        const auto was = std::find_if(earlier.processes.begin(), earlier.processes.end(), is_it);
        const auto is = std::find_if(evidence.processes.begin(), evidence.processes.end(), is_it);
        if (was == earlier.processes.end() || is == evidence.processes.end() ||
            is->comm != was->comm)
            continue;
        if (is->age + slack < was->age + between || was->age + between + slack < is->age)
            continue; // its pid was used again
        const auto known = std::find_if(evidence.dumps.begin(), evidence.dumps.end(), is_it);
        if (known == evidence.dumps.end()) evidence.dumps.push_back(dump);
        else if (!known->deadlock)
            known->deadlock = true; // this time the dump did not come in time
    }
}

} // namespace bgt::core
