// The sender's side of sd_notify (man 3 sd_notify, man 7 unix).
#include <bgt/os/control_socket.hpp>

#include <bgt/base/text.hpp>
#include <bgt/os/clock.hpp>

#include <cerrno>
#include <cstddef>
#include <cstring>
#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace bgt::os {
namespace {

struct Address {
    sockaddr_un bytes{};
    socklen_t length = 0;
    Fd folder; ///< of a path that is too long: it leads there
};

Result<Address> read_address(const std::string& text)
{
    Address out;
    out.bytes.sun_family = AF_UNIX;
    if (text.size() < 2 || (text.front() != '/' && text.front() != '@') || text.find('\0') != std::string::npos)
        return Error::usage("NOTIFY_SOCKET is neither a path nor @NAME: \"" + fit(printable(text), 60) + "\"");
    std::string name = text;
    if (text.front() == '/' && text.size() >= sizeof out.bytes.sun_path) {
        const std::size_t slash = text.rfind('/');
        out.folder.reset(open(text.substr(0, slash + 1).c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
        if (!out.folder) return Error::system("can't open the folder of NOTIFY_SOCKET", errno);
        name = fmt::format("/proc/self/fd/{}{}", out.folder.get(), text.substr(slash));
    }
    if (name.size() > sizeof out.bytes.sun_path - (name.front() == '/' ? 1 : 0))
        return Error::usage("the address in NOTIFY_SOCKET is too long");
    std::memcpy(out.bytes.sun_path, name.data(), name.size());
    if (name.front() == '@') out.bytes.sun_path[0] = '\0';
    out.length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name.size() + (name.front() == '/' ? 1 : 0));
    return out;
}

/// Until `fd` has one of `events`; false: the deadline came first. POLLHUP and POLLERR always count.
bool wait_for(int fd, short events, Instant deadline)
{
    while (true) {
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - now()).count();
        if (left <= 0) return false;
        pollfd waits{fd, events, 0};
        if (poll(&waits, 1, static_cast<int>(left)) > 0) return true;
    }
}

Error too_slow()
{
    return Error{ErrorKind::failed, "the supervisor did not take the message in time: is it stopped?", ETIMEDOUT};
}

/// Sends the text, with a descriptor if that is not -1.
Result<void> send_text(int socket, const std::string& text, int descriptor, Instant deadline)
{
    iovec part{const_cast<char*>(text.data()), text.size()};
    msghdr header{};
    header.msg_iov = &part;
    header.msg_iovlen = 1;
    alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))]{};
    if (descriptor >= 0) {
        header.msg_control = control;
        header.msg_controllen = sizeof control;
        cmsghdr* const rights = CMSG_FIRSTHDR(&header);
        rights->cmsg_level = SOL_SOCKET;
        rights->cmsg_type = SCM_RIGHTS;
        rights->cmsg_len = CMSG_LEN(sizeof(int));
        std::memcpy(CMSG_DATA(rights), &descriptor, sizeof descriptor);
    }
    while (sendmsg(socket, &header, MSG_NOSIGNAL) < 0) {
        if (errno == EINTR) continue;
        if (errno != EAGAIN) return Error::system("can't send to NOTIFY_SOCKET", errno);
        if (!wait_for(socket, POLLOUT, deadline)) return too_slow(); // the receiver's queue is full
    }
    return {};
}

} // namespace

Result<void> send_notification(const std::string& address, const std::string& text, Duration timeout)
{
    const Instant deadline = now() + timeout;
    const Result<Address> to = read_address(address);
    if (!to) return to.error();
    const Fd socket(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (!socket) return Error::system("can't make a socket", errno);
    if (connect(socket.get(), reinterpret_cast<const sockaddr*>(&to->bytes), to->length) != 0)
        return Error::system("nobody can be reached at NOTIFY_SOCKET", errno);
    if (Result<void> sent = send_text(socket.get(), text, -1, deadline); !sent) return sent;
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) return Error::system("can't make a pipe", errno);
    const Fd taken(ends[0]);
    Fd barrier(ends[1]);
    if (Result<void> sent = send_text(socket.get(), "BARRIER=1", barrier.get(), deadline); !sent) return sent;
    barrier.reset();
    // Its last copy is closed by the receiver, once it has dealt with all before (or by its end).
    return wait_for(taken.get(), POLLIN, deadline) ? Result<void>{} : too_slow();
}

} // namespace bgt::os
