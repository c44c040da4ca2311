#include "diagnosis.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <unordered_set>
#include <utility>

namespace bgt::core {

namespace {

using detail::Facts;
using detail::Finding;

constexpr double busy_share = 0.05;       ///< of one core: clearly more than a poll loop takes
constexpr Duration still_writes = std::chrono::seconds(2);
constexpr int much_longer = 4;            ///< how often the age of bytes fits in that of text where output repeats itself

/// The process with the most CPU lately, and its share of a core.
std::pair<const ProcessEvidence*, double> busiest(const Evidence& evidence)
{
    const ProcessEvidence* most = nullptr;
    for (const auto& process : evidence.processes)
        if (process.recent_cpu && (!most || *process.recent_cpu > *most->recent_cpu)) most = &process;
    if (!most || !evidence.recent_span || evidence.recent_span->count() <= 0) return {nullptr, 0};
    return {most, static_cast<double>(most->recent_cpu->count()) / static_cast<double>(evidence.recent_span->count())};
}

/// Output goes on and says nothing new.
bool repeats_itself(const Evidence& evidence)
{
    const auto& ages = evidence.ages;
    return ages.byte && ages.text && *ages.text > std::chrono::seconds(1) && *ages.byte * much_longer < *ages.text;
}

std::string share_words(double share)
{
    return fmt::format("{:.0f} % of a core", share * 100);
}

Finding find_spinning(const Evidence& evidence, const ProcessEvidence* who, double share)
{
    const std::string name = who ? detail::name_of(*who) : "the task";
    std::string sentence = fmt::format("spinning: {} writes again and again, and nothing new for {}", name,
                                       format_age(*evidence.ages.text));
    if (share >= 0.01) sentence += " (" + share_words(share) + ")";
    return {Verdict::spinning, sentence + detail::last_text(evidence), {}, who ? who->pid : 0, {}};
}

Finding find_busy(const Evidence& evidence, const ProcessEvidence* who, double share)
{
    std::string sentence = "busy: " + (who ? detail::name_of(*who) : std::string("the task"));
    sentence += share >= 0.01 ? " uses " + share_words(share) : " works";
    if (evidence.ages.byte) sentence += fmt::format(", no output for {}", format_age(*evidence.ages.byte));
    return {Verdict::busy, std::move(sentence), {}, who ? who->pid : 0, {}};
}

/// Those to whom all waits lead, or all of a circle where nobody else is left.
class Walk {
public:
    explicit Walk(const Facts& facts) : facts_(facts)
    {
        for (const auto& process : facts.evidence().processes) {
            if (detail::is_zombie(process)) continue;
            Finding finding = detail::find_of(facts, process);
            (finding.waits_for.empty() ? leaves_ : waiting_).push_back(std::move(finding));
        }
    }

    Finding result() const
    {
        Finding best = max_telling(leaves_);
        if (!leaves_.empty()) return best;
        best = max_telling(waiting_);
        if (waiting_.size() > 1 && best.verdict != Verdict::waits_pipe_reader) return circle();
        if (waiting_.size() > 1 && both_write()) return circle();
        return best;
    }

private:
    static Finding max_telling(const std::vector<Finding>& findings)
    {
        Finding best{Verdict::unknown, {}, {}, 0, {}};
        for (const auto& finding : findings)
            if (best.sentence.empty() || detail::says_more(finding.verdict, best.verdict) || reads_as_well(finding, best)) best = finding;
        return best;
    }
    /// Of several that read, a child is nearer to who asks: `script` hands on what `ssh-keygen` wants to know.
    static bool reads_as_well(const Finding& finding, const Finding& best)
    {
        return finding.verdict == Verdict::waiting_input && best.verdict == Verdict::waiting_input;
    }
    bool both_write() const
    {
        return std::count_if(waiting_.begin(), waiting_.end(),
                             [](const auto& f) { return f.verdict == Verdict::waits_pipe_reader; }) > 1;
    }
    Finding circle() const
    {
        std::string names;
        std::size_t shown = 0;
        for (const auto& finding : waiting_) {
            const auto* process = facts_.process(finding.pid);
            if (!process || ++shown > 3) continue;
            names += (names.empty() ? "" : ", ") + detail::name_of(*process);
            if (const std::string words = wait_words(*process); !words.empty()) names += " " + words;
        }
        return {Verdict::deadlock,
                fmt::format("deadlock: {} processes wait for each other: {}{}", waiting_.size(), names,
                            detail::without_cpu(facts_.evidence())),
                {}, waiting_.front().pid, {}};
    }

    const Facts& facts_;
    std::vector<Finding> leaves_;
    std::vector<Finding> waiting_;
};

/// A loop that was met awake, though the measured activity says nothing of work: it runs at this moment, or one of its
/// commands has just ended and the next has not begun.
std::optional<Finding> find_awake(const Facts& facts, const Finding& finding)
{
    const Evidence& evidence = facts.evidence();
    const ProcessEvidence* who = facts.process(finding.pid);
    const auto silence = detail::silence(evidence);
    const Duration quiet = silence.value_or(evidence.processes.front().age);
    const bool rests = evidence.activity == Activity::trickle || evidence.activity == Activity::blocked;
    if (!who || !rests || quiet < std::chrono::seconds(1)) return std::nullopt;
    const bool worked = evidence.ages.cpu && *evidence.ages.cpu * much_longer < quiet;
    const bool between = finding.verdict == Verdict::waits_child && finding.waits_for.empty() && who->thread_count <= 1 && worked;
    if (finding.verdict != Verdict::busy && !between) return std::nullopt;
    std::string sentence = fmt::format("polling: {} {}", detail::name_of(*who),
                                       between ? "runs one short command after the other" : "runs for a moment now and then");
    if (silence) sentence += fmt::format(", nothing new for {}", format_age(*silence));
    return Finding{Verdict::polling, sentence + detail::last_text(evidence), {}, who->pid, {}};
}

/// A young sleep under an old parent that waits for it: `until try; do sleep 1; done`.
std::optional<Finding> find_loop(const Facts& facts, const Finding& finding)
{
    if (finding.verdict != Verdict::sleeping && finding.verdict != Verdict::polling) return std::nullopt;
    const ProcessEvidence* child = facts.process(finding.pid);
    const ProcessEvidence* parent = child ? facts.process(child->ppid) : nullptr;
    if (!parent || child->age * much_longer >= parent->age) return std::nullopt;
    const bool sleeps = child->threads.size() == 1 && child->threads.front().call == Call::sleep;
    const bool waited_for = std::any_of(parent->threads.begin(), parent->threads.end(),
                                        [](const auto& thread) { return thread.call == Call::wait_child; });
    const auto quiet = detail::silence(facts.evidence());
    if (!sleeps || !waited_for || (quiet && child->age * much_longer >= *quiet)) return std::nullopt;
    const auto& limit = child->threads.front().timeout;
    std::string sentence = fmt::format("polling: {} looks again and again, with {}{} between", detail::name_of(*parent),
                                       child->comm, limit ? " " + detail::nap_words(*limit) : "");
    if (quiet) sentence += fmt::format(", nothing new for {}", format_age(*quiet));
    return Finding{Verdict::polling, sentence + detail::last_text(facts.evidence()), {}, parent->pid, {}};
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

Finding decide(const Facts& facts)
{
    const Evidence& evidence = facts.evidence();
    const auto [who, share] = busiest(evidence);
    const bool works = evidence.activity == Activity::busy || share >= busy_share;
    if (works && !evidence.paused) return repeats_itself(evidence) ? find_spinning(evidence, who, share) : find_busy(evidence, who, share);
    Finding finding = Walk(facts).result();
    if (auto loop = find_loop(facts, finding)) return std::move(*loop);
    if (auto loop = find_awake(facts, finding)) return std::move(*loop);
    if (is_certain(finding.verdict)) return finding;
    if (evidence.kind == Kind::service && finding.verdict != Verdict::connecting)
        if (const std::string places = detail::listening_on(evidence); !places.empty() && finding.verdict != Verdict::idle) {
            const auto* process = facts.process(evidence.processes.front().pid);
            finding = {Verdict::idle, fmt::format("idle: {} waits for connections on {}", detail::name_of(*process), places), {},
                       process->pid, {}};
        }
    // What repaints with less than a tick of CPU counts as `blocked`: its bytes tell.
    const bool vague = !detail::says_more(finding.verdict, Verdict::waits_child);
    const bool writes = evidence.ages.byte && *evidence.ages.byte < still_writes;
    if (vague && (evidence.activity != Activity::blocked || writes) && repeats_itself(evidence))
        return find_spinning(evidence, who, share);
    return finding;
}

} // namespace

Diagnosis diagnose(const Evidence& evidence)
{
    Diagnosis diagnosis;
    const Facts facts(evidence);
    const bool nobody = std::all_of(evidence.processes.begin(), evidence.processes.end(), detail::is_zombie);
    Finding finding{Verdict::unknown, {}, {}, 0, {}};
    if (evidence.processes.empty()) {
        finding.sentence = evidence.complete ? "no process of the task is left" : "the task could not be looked at in time";
    } else if (nobody) {
        finding = {Verdict::zombie_parent,
                   fmt::format("zombie: {} has ended, and nobody has taken note of it", detail::name_of(evidence.processes.front())),
                   {}, evidence.processes.front().pid, {}};
    } else {
        finding = decide(facts);
    }
    diagnosis.verdict = finding.verdict;
    diagnosis.sentence = std::move(finding.sentence);
    diagnosis.hint = std::move(finding.hint);
    diagnosis.pid = finding.pid;
    diagnosis.next = detail::next_command(evidence, diagnosis.verdict);
    return diagnosis;
}

} // namespace bgt::core
