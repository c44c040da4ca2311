#pragma once
/// Pipes, interrupted calls and the umask: what every layer needs of descriptors, once.
#include <bgt/base/fd.hpp>
#include <bgt/base/result.hpp>
#include <cerrno>
#include <cstddef>
#include <string>
#include <string_view>
#include <sys/stat.h>
#include <utility>

namespace bgt {

/// Calls until the call was not interrupted by a signal (man 7 signal, EINTR). `call` returns a
/// negative number on failure.
template <class Call>
auto retry_on_eintr(Call call)
{
    auto result = call();
    while (result < 0 && errno == EINTR) result = call();
    return result;
}

struct Pipe {
    Fd reader, writer;
};
/// Both ends are close-on-exec; `flags` are added (man 2 pipe2: O_NONBLOCK). Error: "making WHAT:
/// ...".
Result<Pipe> make_pipe(const char* what, int flags = 0);

/// All of `text` (man 2 write), in as many writes as it takes; 0, or the errno of the one that
/// failed.
int write_all(int fd, std::string_view text);

/// One packet into a pipe: at most PIPE_BUF bytes, which it takes whole (man 7 pipe). False: nobody
/// reads it.
bool write_packet(int fd, std::string_view bytes);
/// One read of at most PIPE_BUF bytes; empty: the end of the file, or an error.
std::string read_packet(int fd);

/// Waits until the descriptor is at end-of-file; what comes before it is thrown away.
void await_end_of_file(int fd);

/// As long as it lives, files are made for their owner only, whatever the caller's umask.
class PrivateUmask {
public:
    PrivateUmask() : before_(::umask(077)) {}
    ~PrivateUmask() { ::umask(before_); }
    PrivateUmask(const PrivateUmask&) = delete;
    PrivateUmask& operator=(const PrivateUmask&) = delete;
    mode_t before() const { return before_; }

private:
    mode_t before_;
};

} // namespace bgt
