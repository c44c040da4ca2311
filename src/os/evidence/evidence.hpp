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

/// The file systems that are served by another machine or by a process: nothing may be asked of
/// them, as the answer may never come. Told by /proc/PID/mountinfo, which asks nobody.
class Mounts {
public:
    /// By the "mnt_id:" of /proc/PID/fdinfo/FD. A mount that is not found counts as remote.
    bool is_remote(const ProcDir&, std::int32_t pid, std::int32_t mount) const;
    /// The mount on which this absolute path of the process lies, as far as its text tells
    /// (symlinks can lead elsewhere).
    struct Place {
        std::string folder; ///< where it is mounted; empty: not found
        bool remote = true; ///< it, or one on the way to it
    };
    static Place place_of(const ProcDir&, std::int32_t pid, std::string_view path);

private:
    mutable std::unordered_map<std::int32_t, bool> remote_;
};

/// One gathering: the request, what was found, and when it must be over.
struct Gathering {
    explicit Gathering(const GatherRequest&);
    const GatherRequest& request;
    Instant end;
    ProcDir proc;
    std::unordered_set<std::int32_t> inside; ///< pids of the tree
    std::unordered_set<std::int32_t> shown;  ///< of these, the ones with a row
    core::Evidence found;
    Mounts mounts;
    /// True, and remembered, once the time is over.
    bool is_late();
};

/// The process at that place of the request.
void gather_process(Gathering&, std::size_t member);
/// Children that are not among the members: those that have ended and are not reaped, and those
/// forked since the look before.
void gather_children(Gathering&);
void gather_sockets(Gathering&);
void gather_locks(Gathering&);
/// Both sides of every pipe, and the peer of every local socket, at which a thread waits, as far as
/// processes of the tree have them open.
void gather_ends(Gathering&);
/// The same of all other processes, where the tree does not have the other side.
void gather_outer_ends(Gathering&);
/// What the processes outside of the tree are and do for which a thread waits at a local socket.
void gather_peers(Gathering&);
void gather_machine(Gathering&);
void ask_for_stacks(Gathering&);
/// Java machines whose threads may wait for each other's locks are asked whether they do.
void ask_about_locks(Gathering&);
/// What Java says of its locks at the end of a stack dump that it printed after `from`; nullopt:
/// that does not come in time.
std::optional<bool> await_java_locks(const Gathering&, std::uint64_t from);

/// The threads of one process, at most `max_threads_shown`.
std::vector<core::ThreadEvidence> threads_of(const Gathering&, std::int32_t pid);

/// Whether Go made its program: by the note of its linker (PT_NOTE, "Go"), which is read in its
/// memory.
bool is_made_by_go(const Gathering&, std::int32_t pid);

/// What the descriptor of that process is; kind other and an empty text where that can't be told.
core::Handle handle_of(const Gathering&, std::int32_t pid, std::int32_t fd);
/// The same of a path that a process is about to open; of a remote one only its text.
core::Handle handle_of_path(const Gathering&, std::int32_t pid, std::int32_t dir_fd,
                            const std::string& path);
/// Whether nothing may be asked of the file system of that descriptor.
bool is_remote(const Gathering&, std::int32_t pid, std::int32_t fd);
/// The number behind that word in /proc/PID/fdinfo/FD ("mnt_id:", "tty-index:", "Pid:"); -1: there
/// is none.
std::int64_t fdinfo_number(const ProcDir&, std::int32_t pid, std::int32_t fd, std::string_view word,
                           int base = 10);
/// The files behind an inotify descriptor, as far as the process has them open or works there; else
/// how many they are.
std::string watched_files(const Gathering&, std::int32_t pid, std::int32_t fd);
/// Where /proc/PID/fd/FD points; empty when it can't be read.
std::string link_of(const ProcDir&, std::int32_t pid, std::int32_t fd);
/// The descriptors of a process, a few thousand at most.
std::vector<std::int32_t> descriptors_of(const ProcDir&, std::int32_t pid);
/// The same of an open folder /proc/PID/fd.
std::vector<std::int32_t> some_descriptors(int folder);
/// N of "/dev/pts/N"; -1: another text.
std::int32_t terminal_in_link(std::string_view link);
/// Whether the link is that of a pseudoterminal's master.
bool is_master_link(std::string_view link);
/// The number in "socket:[12345]"; 0 for another text.
std::uint64_t number_in_link(std::string_view link, std::string_view kind);
/// `bytes` of the memory of a process (man 2 process_vm_readv); false unless all could be read.
bool read_memory(std::int32_t pid, std::uint64_t address, void* into, std::size_t bytes);

/// The name of a system call of this machine; empty: a newer one.
std::string_view system_call_name(long number);

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
