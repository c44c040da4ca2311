// The sender's side of sd_notify (man 3 sd_notify, man 7 unix).
#include <bgt/os/control_socket.hpp>

#include <bgt/base/descriptor.hpp>
#include <bgt/os/clock.hpp>
#include <bgt/os/unix_address.hpp>

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace bgt::os {
namespace {

/// Until `fd` has one of `events`; false: the deadline came first. POLLHUP and POLLERR always
/// count.
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
    return Error{ErrorKind::failed,
                 "the supervisor did not take the message in time: is it stopped?", ETIMEDOUT};
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
    while (retry_on_eintr([&] { return sendmsg(socket, &header, MSG_NOSIGNAL); }) < 0) {
        if (errno != EAGAIN) return Error::system("can't send to NOTIFY_SOCKET", errno);
        if (!wait_for(socket, POLLOUT, deadline)) return too_slow(); // the receiver's queue is full
    }
    return {};
}

} // namespace

Result<void> send_notification(const std::string& address, const std::string& text,
                               Duration timeout)
{
    const Instant deadline = now() + timeout;
    const Result<UnixAddress> to = unix_address(address);
    if (!to)
        return Error{to.error().kind, "NOTIFY_SOCKET: " + to.error().message, to.error().sys_errno};
    const Fd socket(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (!socket) return Error::system("can't make a socket", errno);
    if (connect(socket.get(), to->get(), to->length) != 0)
        return Error::system("nobody can be reached at NOTIFY_SOCKET", errno);
    if (Result<void> sent = send_text(socket.get(), text, -1, deadline); !sent) return sent;
    BGT_TRY_ASSIGN(Pipe barrier, make_pipe("a pipe"));
    if (Result<void> sent = send_text(socket.get(), "BARRIER=1", barrier.writer.get(), deadline);
        !sent)
        return sent;
    barrier.writer.reset();
    // Its last copy is closed by the receiver, once it has dealt with all before (or by its end).
    return wait_for(barrier.reader.get(), POLLIN, deadline) ? Result<void>{} : too_slow();
}

} // namespace bgt::os
