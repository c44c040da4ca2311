#include <bgt/os/unix_address.hpp>

#include <bgt/base/text.hpp>

#include <cerrno>
#include <cstddef>
#include <cstring>
#include <fcntl.h>
#include <fmt/format.h>

namespace bgt::os {

Result<UnixAddress> unix_address(const std::string& text)
{
    UnixAddress out;
    out.bytes.sun_family = AF_UNIX;
    if (text.size() < 2 || (text.front() != '/' && text.front() != '@') ||
        text.find('\0') != std::string::npos)
        return Error::usage("a socket is a path or @NAME, not \"" + fit(printable(text), 60) +
                            "\"");
    const std::size_t room = sizeof out.bytes.sun_path;
    std::string name = text;
    if (text.front() == '/' && text.size() >= room) {
        const std::size_t slash = text.rfind('/');
        out.folder.reset(open(text.substr(0, slash + 1).c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
        if (!out.folder) return Error::system("can't open the folder of the socket", errno);
        name = fmt::format("/proc/self/fd/{}{}", out.folder.get(), text.substr(slash));
    }
    const std::size_t size =
        name.size() +
        (name.front() == '/' ? 1 : 0); // a path ends with a NUL, an abstract name by its length
    if (size > room)
        return Error::usage("the name of the socket is too long: \"" + fit(printable(text), 60) +
                            "\"");
    std::memcpy(out.bytes.sun_path, name.data(), name.size());
    if (name.front() == '@') out.bytes.sun_path[0] = '\0';
    out.length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + size);
    return out;
}

bool unix_connects(const std::string& address)
{
    const Result<UnixAddress> to = unix_address(address);
    if (!to) return false;
    for (const int type : {SOCK_STREAM, SOCK_SEQPACKET, SOCK_DGRAM}) {
        const Fd fd(socket(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
        if (!fd) return false;
        if (connect(fd.get(), to->get(), to->length) == 0) return true;
        if (errno != EPROTOTYPE) return false; // another type of socket listens there
    }
    return false;
}

} // namespace bgt::os
