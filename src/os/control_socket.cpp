#include <bgt/os/control_socket.hpp>

#include <bgt/os/clock.hpp>

#include <cerrno>
#include <cstring>
#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace bgt::os {
namespace {

/// The address of NAME below an open folder. Always short enough.
sockaddr_un address_of(int folder_fd, const char* name)
{
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    fmt::format_to_n(address.sun_path, sizeof address.sun_path - 1, "/proc/self/fd/{}/{}", folder_fd, name);
    return address;
}

Fd datagram_socket()
{
    return Fd{socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)};
}

/// Takes the sender's credentials; closes descriptors that a sender tried to hand over.
void read_ancillary(msghdr& header, Datagram& out)
{
    for (cmsghdr* part = CMSG_FIRSTHDR(&header); part; part = CMSG_NXTHDR(&header, part)) {
        if (part->cmsg_level != SOL_SOCKET) continue;
        if (part->cmsg_type == SCM_CREDENTIALS) {
            ucred who{};
            std::memcpy(&who, CMSG_DATA(part), sizeof who);
            out.pid = who.pid;
            out.uid = who.uid;
        }
        if (part->cmsg_type == SCM_RIGHTS) {
            const std::size_t count = (part->cmsg_len - CMSG_LEN(0)) / sizeof(int);
            for (std::size_t i = 0; i < count; ++i) {
                int fd = -1;
                std::memcpy(&fd, CMSG_DATA(part) + i * sizeof(int), sizeof fd);
                close(fd);
            }
        }
    }
}

} // namespace

Result<ControlSocket> ControlSocket::bind(int folder_fd, const char* name)
{
    ControlSocket made;
    made.fd_ = datagram_socket();
    if (!made.fd_) return Error::system("making the control socket", errno);
    const int on = 1;
    setsockopt(made.fd_.get(), SOL_SOCKET, SO_PASSCRED, &on, sizeof on);
    const sockaddr_un address = address_of(folder_fd, name);
    const auto* raw = reinterpret_cast<const sockaddr*>(&address);
    if (::bind(made.fd_.get(), raw, sizeof address) == 0) return made;
    if (errno == EADDRINUSE && unlinkat(folder_fd, name, 0) == 0 && ::bind(made.fd_.get(), raw, sizeof address) == 0)
        return made;
    return Error::system("binding the control socket", errno);
}

std::optional<Datagram> ControlSocket::receive()
{
    Datagram out;
    out.bytes.resize(max_datagram);
    iovec part{out.bytes.data(), out.bytes.size()};
    alignas(cmsghdr) char control[CMSG_SPACE(sizeof(ucred)) + CMSG_SPACE(64 * sizeof(int))];
    msghdr header{};
    header.msg_name = &out.from;
    header.msg_namelen = sizeof out.from;
    header.msg_iov = &part;
    header.msg_iovlen = 1;
    header.msg_control = control;
    header.msg_controllen = sizeof control;
    ssize_t count;
    do {
        count = recvmsg(fd_.get(), &header, MSG_CMSG_CLOEXEC);
    } while (count < 0 && errno == EINTR);
    if (count < 0) return std::nullopt;
    read_ancillary(header, out);
    out.from_length = header.msg_namelen;
    out.cut = (header.msg_flags & MSG_TRUNC) != 0;
    out.bytes.resize(static_cast<std::size_t>(count));
    return out;
}

void ControlSocket::reply(const Datagram& to, const std::string& bytes)
{
    if (to.from_length <= sizeof(sa_family_t)) return; // the sender has no address to answer to
    sendto(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL, reinterpret_cast<const sockaddr*>(&to.from), to.from_length);
}

Result<std::string> ask(int folder_fd, const char* name, const std::string& request, int gone, Duration timeout)
{
    const Fd fd = datagram_socket();
    if (!fd) return Error::system("making a socket", errno);
    // An address of our own, chosen by the kernel (autobind), for the answer.
    const sa_family_t family = AF_UNIX;
    if (::bind(fd.get(), reinterpret_cast<const sockaddr*>(&family), sizeof family) != 0)
        return Error::system("binding a socket", errno);
    // Connected, so that nobody but the supervisor can send the answer.
    const sockaddr_un address = address_of(folder_fd, name);
    if (connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
        return Error::system("reaching the supervisor", errno);
    const Instant deadline = now() + timeout;
    bool sent = false;
    while (true) {
        if (!sent && send(fd.get(), request.data(), request.size(), MSG_NOSIGNAL) >= 0) sent = true;
        else if (!sent && errno != EAGAIN && errno != EINTR) return Error::system("asking the supervisor", errno);
        std::string answer(max_datagram, '\0');
        const ssize_t count = recv(fd.get(), answer.data(), answer.size(), 0);
        if (count >= 0) {
            answer.resize(static_cast<std::size_t>(count));
            return answer;
        }
        if (errno != EAGAIN && errno != EINTR) return Error::system("asking the supervisor", errno);
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - now()).count();
        if (left <= 0) return Error{ErrorKind::failed, "the supervisor does not answer", ETIMEDOUT};
        pollfd waits[] = {{fd.get(), static_cast<short>(sent ? POLLIN : POLLIN | POLLOUT), 0}, {gone, POLLIN, 0}};
        poll(waits, gone >= 0 ? 2 : 1, static_cast<int>(left));
        if (gone >= 0 && (waits[1].revents & POLLIN) && !(waits[0].revents & POLLIN))
            return Error{ErrorKind::failed, "the supervisor has ended", ESRCH};
    }
}

} // namespace bgt::os
