#pragma once
/// Gathers evidence of real processes until the diagnosis is the expected one.
#include "sandbox.hpp"
#include "support/catch.hpp"

#include <bgt/core/diagnosis.hpp>
#include <bgt/os/evidence.hpp>
#include <bgt/os/tree.hpp>
#include <bgt/supervise/task_evidence.hpp>

#include <algorithm>
#include <csignal>
#include <string>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

namespace evidence_lab {

using namespace bgt;

using core::Verdict;

/// A task without a folder.
inline supervise::TaskEvidence& no_folder()
{
    static const store::TaskDir none;
    static supervise::TaskEvidence evidence(none);
    return evidence;
}

inline os::GatherRequest request_for(std::int32_t root, os::EvidenceStore& store = no_folder())
{
    os::GatherRequest request(store);
    if (auto stat = os::read_stat(root)) request.members.push_back(*stat);
    for (auto& member : os::descendants_of(root)) request.members.push_back(member);
    request.bound = std::chrono::seconds(20); // what is tested here is what is found, not how soon
    return request;
}

struct Found {
    core::Evidence evidence;
    core::Diagnosis diagnosis;
};

/// Looks until the verdict is that one or the test_timeout is over.
inline Found look_for(std::int32_t root, Verdict verdict, const os::StdinFifo& stdin_fifo = {})
{
    Found found;
    test::eventually([&] {
        auto request = request_for(root);
        request.stdin_fifo = stdin_fifo;
        found.evidence = os::gather(request);
        found.evidence.task_id = 7;
        found.diagnosis = core::diagnose(found.evidence);
        return found.diagnosis.verdict == verdict;
    });
    INFO(found.diagnosis.sentence);
    REQUIRE(core::to_string(found.diagnosis.verdict) == core::to_string(verdict));
    return found;
}

inline std::string pid_text(std::int32_t pid)
{
    return "(pid " + std::to_string(pid) + ")";
}

inline bool has(const std::string& text, const std::string& part)
{
    return text.find(part) != text.npos;
}

inline const core::ProcessEvidence& process_of(const core::Evidence& evidence, std::int32_t pid)
{
    const auto found = std::ranges::find(evidence.processes, pid, &core::ProcessEvidence::pid);
    REQUIRE(found != evidence.processes.end());
    return *found;
}

/// A child that does this until it is killed.
class Child {
public:
    template <class Work>
    explicit Child(const Work& work) : pid_(::fork())
    {
        if (pid_ != 0) return;
        ::prctl(PR_SET_PDEATHSIG, SIGKILL);
        work();
        ::_exit(0);
    }
    ~Child()
    {
        ::kill(pid_, SIGKILL);
        ::waitpid(pid_, nullptr, 0);
    }
    Child(const Child&) = delete;
    Child& operator=(const Child&) = delete;
    std::int32_t pid() const { return pid_; }

private:
    std::int32_t pid_;
};
} // namespace evidence_lab
