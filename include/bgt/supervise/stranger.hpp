#pragma once
/// Who else than the task answers where the task is to answer.
#include <bgt/core/condition.hpp>
#include <bgt/os/proc.hpp>
#include <string>
#include <vector>

namespace bgt::supervise {

/// Of an http condition that was met by a port of this machine: "answered by pid 71, not of this
/// task (python3 -m http.server)". Empty: a member listens there, it is elsewhere, or it can't be
/// told who answers: a listener that may not be looked at, a container, one that forwards to a
/// container. Hazard: where no member listens there, the descriptors of every process are read.
std::string stranger_words(const core::Condition&, const std::vector<os::ProcStat>& members);

/// "pid 71 (python3 -m http.server)": who listens on this port of this machine. Empty: nobody that
/// can be seen.
std::string listener_words(std::uint16_t port);

} // namespace bgt::supervise
