#pragma once
/// Tasks that wait in the queues of a Lab, and who dispatches them.
#include "support/lab.hpp"

#include <string>
#include <sys/types.h>

namespace bgt::test {

/// The id that `bgt submit` printed first. It must have succeeded.
std::string submitted(const Ran&);
/// `bgt submit WORDS...`, which must succeed and print one id.
std::string submit_one(const Lab&, Words words);
/// Waits until no bgt process of the queues is left and with it the journal.
bool is_over(const Lab&);
/// What the verb says: one line, with exit code 125.
std::string refused(const Lab&, const Words& words);

/// Waits until somebody dispatches; the pid.
pid_t dispatcher_of(const Lab&);
/// The same once it sleeps, and is stopped: it keeps no lock but its own.
pid_t stop_dispatcher(const Lab&);
/// Kills whoever dispatches, and all that take over meanwhile.
void kill_dispatchers(const Lab&);
/// How often the process has gone to sleep; -1: it is not there.
long sleeps_of(pid_t pid);

} // namespace bgt::test
