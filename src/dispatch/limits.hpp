#pragma once
/// A process can't give a command higher hard limits, or a lower nice value, than it has itself,
/// unless it is privileged. So not everybody can dispatch for everybody.
#include <bgt/store/queue_context.hpp>
#include <optional>
#include <string>
#include <sys/types.h>

namespace bgt::dispatch {

/// As high as this process may: what is privileged can give a task anything.
void raise_limits();
/// What a task was submitted with and the process (0: this one) can't give it, as in "a hard limit
/// of 4096 for open files (here 64)"; nullopt: it can, or is not there. Only a process itself can
/// tell its securebits.
std::optional<std::string> lack_of(pid_t process, std::uint32_t secure_bits,
                                   const store::QueueContext& submitted);
/// Whether this process, which dispatches, leaves that to the submitter's: it lacks a limit, or
/// privileges of which the submitter has all, so that nobody loses by it.
bool gives_way_to(const store::QueueContext& submitted);
/// Of this process, asked once: it does not change, but in a process that was forked.
const Privileges& own_privileges();
/// The privileges among them.
std::optional<std::string> lack_of_privileges(const store::QueueContext& submitted);
/// The namespace that is another one than here, where a start would mean something else: "another
/// mount namespace than the dispatcher's"; nullopt: none.
std::optional<std::string> lack_of_place(const Namespaces& here,
                                         const store::QueueContext& submitted);
/// Of this process, asked once.
const Namespaces& own_place();

} // namespace bgt::dispatch
