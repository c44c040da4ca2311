#include <bgt/os/descriptors.hpp>

#include <bgt/base/fd.hpp>
#include <bgt/os/proc_dir.hpp>

#include <algorithm>
#include <array>
#include <cerrno>
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace bgt::os {
namespace {

void close_by_listing(unsigned first, unsigned last)
{
    const Fd folder(open("/proc/self/fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!folder) return;
    for (const int fd : numeric_entries(folder.get()))
        if (fd != folder.get() && static_cast<unsigned>(fd) >= first &&
            static_cast<unsigned>(fd) <= last)
            close(fd);
}

void close_from_to(unsigned first, unsigned last)
{
    if (first > last) return;
    if (syscall(SYS_close_range, first, last, 0) != 0) close_by_listing(first, last);
}

} // namespace

void close_all_but(std::vector<int> keep)
{
    std::ranges::sort(keep);
    unsigned from = STDERR_FILENO + 1;
    for (const int fd : keep) {
        if (fd < static_cast<int>(from)) continue;
        close_from_to(from, static_cast<unsigned>(fd) - 1);
        from = static_cast<unsigned>(fd) + 1;
    }
    close_from_to(from, ~0u);
}

Fd duplicate(int fd)
{
    return Fd(fcntl(fd, F_DUPFD_CLOEXEC, 0));
}

void allow_descriptors(std::size_t wanted)
{
    rlimit limit{};
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= wanted) return;
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
}

Result<void> check_spare_descriptors()
{
    constexpr std::size_t plenty = 256, spare = 12;
    rlimit limit{};
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur >= plenty) return {};
    std::array<Fd, spare> tried;
    for (Fd& fd : tried) {
        fd.reset(fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 0));
        if (!fd)
            return Error::system(
                "a supervisor needs more open files than are allowed (ulimit -n; 64 are enough)",
                errno);
    }
    return {};
}

} // namespace bgt::os
