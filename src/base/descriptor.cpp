#include <bgt/base/descriptor.hpp>

#include <algorithm>
#include <array>
#include <climits>
#include <fcntl.h>
#include <unistd.h>

namespace bgt {

Result<Pipe> make_pipe(const char* what, int flags)
{
    int ends[2];
    if (pipe2(ends, flags | O_CLOEXEC) != 0)
        return Error::system(std::string("making ") + what, errno);
    return Pipe{Fd(ends[0]), Fd(ends[1])};
}

int write_all(int fd, std::string_view text)
{
    while (!text.empty()) {
        const ssize_t n = retry_on_eintr([&] { return ::write(fd, text.data(), text.size()); });
        if (n < 0) return errno;
        if (n == 0) return EIO;
        text.remove_prefix(static_cast<std::size_t>(n));
    }
    return 0;
}

bool write_packet(int fd, std::string_view bytes)
{
    bytes = bytes.substr(0, PIPE_BUF);
    return retry_on_eintr([&] { return write(fd, bytes.data(), bytes.size()); }) ==
           static_cast<ssize_t>(bytes.size());
}

std::string read_packet(int fd)
{
    std::array<char, PIPE_BUF> bytes;
    const ssize_t got = retry_on_eintr([&] { return read(fd, bytes.data(), bytes.size()); });
    return {bytes.data(), static_cast<std::size_t>(std::max<ssize_t>(got, 0))};
}

void await_end_of_file(int fd)
{
    std::array<char, 256> thrown_away;
    while (retry_on_eintr([&] { return read(fd, thrown_away.data(), thrown_away.size()); }) > 0) {}
}

} // namespace bgt
