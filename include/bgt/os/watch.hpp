#pragma once
/// Waiting for files, processes and terminals at once, without polling: inotify (man 7 inotify), pidfds and poll.
#include <bgt/base/fd.hpp>
#include <bgt/base/result.hpp>
#include <bgt/base/time.hpp>
#include <optional>
#include <string>
#include <vector>

namespace bgt::os {

class Watch {
public:
    static Result<Watch> create();

    /// Wakes when the file is written to, replaced, or removed. Returns a token for `fired`. The file must exist.
    Result<int> add_file(const std::string& path);
    /// Wakes when an entry of the folder appears, goes, or is renamed.
    Result<int> add_folder(const std::string& path);
    void remove(int token);
    /// Wakes when the descriptor is readable (a pidfd: the process has ended). Not owned.
    void add_fd(int fd);
    void remove_fd(int fd);

    struct Wake {
        bool timed_out = false;
        bool interrupted = false;       ///< a signal handler ran (EINTR)
        bool overflow = false;          ///< inotify dropped events: look at everything again
        std::vector<int> tokens;        ///< files and folders that changed
        std::vector<int> fds;           ///< descriptors that are readable
    };
    /// Sleeps until something of the above happens or `deadline` (nullopt: for ever).
    Result<Wake> wait(std::optional<Instant> deadline);

private:
    Fd inotify_;
    std::vector<int> fds_;
};

} // namespace bgt::os
