#pragma once
/// What the parts of gather() share.
#include <bgt/os/evidence.hpp>
#include <bgt/os/proc_dir.hpp>
#include <cstddef>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

namespace bgt::os::detail {

/// One gathering: the request, what was found, and when it must be over.
struct Gathering {
    explicit Gathering(const GatherRequest&);
    const GatherRequest& request;
    Instant end;
    ProcDir proc;
    std::unordered_set<std::int32_t> inside;        ///< pids of the tree
    std::unordered_set<std::int32_t> shown;         ///< of these, the ones with a row
    core::Evidence found;
    /// True, and remembered, once the time is over.
    bool is_late();
};

void gather_processes(Gathering&);
void gather_sockets(Gathering&);
void gather_locks(Gathering&);
/// Both sides of every pipe, and the peer of every local socket, at which a thread waits.
void gather_ends(Gathering&);
void gather_machine(Gathering&);
void gather_output(Gathering&);
void ask_for_stacks(Gathering&);
/// Where the task's output ends now, and what Java then says of its locks at the end of a stack dump; nullopt: that does not
/// come in time, or not there.
std::uint64_t end_of_output(const Gathering&);
std::optional<bool> await_java_locks(const Gathering&, std::uint64_t from);

/// The threads of one process, at most `max_threads_shown`.
std::vector<core::ThreadEvidence> threads_of(const Gathering&, std::int32_t pid);

/// What the descriptor of that process is; kind other and an empty text where that can't be told.
core::Handle handle_of(const ProcDir&, std::int32_t pid, std::int32_t fd, const StdinFifo&);
/// The same of a path that a process is about to open.
core::Handle handle_of_path(const ProcDir&, std::int32_t pid, std::int32_t dir_fd, const std::string& path);
/// Where /proc/PID/fd/FD points; empty when it can't be read.
std::string link_of(const ProcDir&, std::int32_t pid, std::int32_t fd);
/// The descriptors of a process, a few thousand at most.
std::vector<std::int32_t> descriptors_of(const ProcDir&, std::int32_t pid);
/// The number in "socket:[12345]"; 0 for another text.
std::uint64_t number_in_link(std::string_view link, std::string_view kind);
/// `bytes` of the memory of a process (man 2 process_vm_readv); false unless all could be read.
bool read_memory(std::int32_t pid, std::uint64_t address, void* into, std::size_t bytes);

/// Safe to show, and not longer than a line of a report.
std::string shown_text(std::string_view bytes);
/// The lines of a text, one after the other; false at its end.
bool next_line(std::string_view& rest, std::string_view& line);
/// The words of a line.
std::vector<std::string_view> words_of(std::string_view line);
/// A whole word as a number.
template <class Number>
bool read_number(std::string_view word, Number& out, int base = 10);

extern template bool read_number(std::string_view, std::uint64_t&, int);
extern template bool read_number(std::string_view, std::int64_t&, int);
extern template bool read_number(std::string_view, std::int32_t&, int);

} // namespace bgt::os::detail
