#pragma once
/// What runs in the process of a ReadyWatch.
#include <bgt/core/condition.hpp>
#include <bgt/supervise/ready_watch.hpp>

namespace bgt::supervise {

/// The first byte of the answer.
char letter_of(ReadyWatch::Answer::Kind);

/// SIGKILL to all below that process, until nobody is found.
void end_descendants_of(pid_t);

/// To be called in the process just forked from `parent`: watches, writes its answer, and stays
/// until it is ended, so that what its commands left behind stays below it. The exit code of the
/// process.
int run_ready_watcher(const store::TaskDir&, const ReadyWatch::What&, std::vector<core::Condition>,
                      int answer, pid_t parent);

} // namespace bgt::supervise
