#include <bgt/base/descriptor.hpp>

#include <array>
#include <fcntl.h>
#include <string>

namespace bgt {

Result<Pipe> make_pipe(const char* what, int flags)
{
    int ends[2];
    if (pipe2(ends, flags | O_CLOEXEC) != 0) return Error::system(std::string("making ") + what, errno);
    return Pipe{Fd(ends[0]), Fd(ends[1])};
}

void await_end_of_file(int fd)
{
    std::array<char, 256> thrown_away;
    while (retry_on_eintr([&] { return read(fd, thrown_away.data(), thrown_away.size()); }) > 0) {}
}

} // namespace bgt
