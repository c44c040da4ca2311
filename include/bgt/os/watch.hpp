#pragma once
/// Waiting for files, processes and terminals at once: inotify (man 7 inotify), pidfds and poll.
/// Without polling, but where the user's inotify instances (128 as a rule) or watches are all in
/// use: there, every wait is short.
#include <bgt/base/fd.hpp>
#include <bgt/base/result.hpp>
#include <bgt/base/time.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace bgt::os {

class Watch {
public:
    /// Never an error at present: without an inotify instance, files are polled (see
    /// Wake::overflow).
    static Result<Watch> create();

    /// Wakes when the file is written to, replaced, or removed. Returns a token, its own for each
    /// call, for Wake::tokens. The file must exist; one that takes its place later is not watched.
    Result<int> add_file(const std::string& path);
    /// Wakes when an entry of the folder appears, goes, or is renamed, or the folder itself is.
    Result<int> add_folder(const std::string& path);
    void remove(int token);
    /// Wakes when the descriptor is readable (a pidfd: the process has ended), at its end of file,
    /// or when it is bad. Not owned.
    void add_fd(int fd);
    void remove_fd(int fd);

    struct Wake {
        bool timed_out = false;
        bool interrupted = false; ///< a signal handler ran (EINTR)
        /// Look at everything again: inotify dropped events, or could not watch one of the files;
        /// in the latter case every wake says so, and comes after 20 ms at the latest.
        bool overflow = false;
        std::vector<int> tokens; ///< files and folders that changed
        std::vector<int> fds;    ///< descriptors that are readable
    };
    /// Sleeps until something of the above happens or `deadline` (nullopt: for ever).
    Result<Wake> wait(std::optional<Instant> deadline);

private:
    struct Watched {
        int token;
        int wd; ///< -1 once the kernel has dropped the watch; shared by tokens of the same inode
        std::uint32_t events; ///< what wakes this token
        bool polled;          ///< inotify had no room for it; `wd` is -1
    };
    Result<int> add(const std::string& path, std::uint32_t events);
    void note_event(int wd, std::uint32_t mask, Wake&);
    void read_events(Wake&);

    Fd inotify_; ///< empty when the user's instances, or the descriptors, are all in use
    std::vector<Watched> watched_;
    int next_token_ = 1;
    std::vector<int> fds_;
};

} // namespace bgt::os
