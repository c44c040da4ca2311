#pragma once
/// Keeps the stdin of a task open while its supervisor is dead.
#include <bgt/base/fd.hpp>
#include <bgt/base/result.hpp>
#include <sys/types.h>

namespace bgt::os {

/// Forks a process that holds `writer`, the writing end of a FIFO, for as long as somebody has the
/// FIFO open for reading: so no reader comes to end-of-file when the caller is killed. It sleeps
/// all its life, and ends by itself with the last reader. Returns its pid, a child of the caller,
/// who reaps it; 0 where the FIFO has a keeper already. Error: no process was to be had. Hazards:
/// as of fork_helper(). The caller's own reading end counts, until it is closed.
Result<pid_t> keep_stdin_open(Fd writer);

/// Ends the keeper of this FIFO that a process which is dead now has started; does nothing where
/// there is none. Other writers are not touched.
void end_stdin_keeper(int fifo);

} // namespace bgt::os
