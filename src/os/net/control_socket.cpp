#include <bgt/os/control_socket.hpp>

#include <bgt/base/descriptor.hpp>
#include <bgt/os/clock.hpp>
#include <bgt/os/unix_address.hpp>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

namespace bgt::os {
namespace {

constexpr int max_pause_ms = 16; // between two attempts to answer

/// The address of NAME below an open folder. Always short enough.
sockaddr_un address_of(int folder_fd, const char* name)
{
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    fmt::format_to_n(address.sun_path, sizeof address.sun_path - 1, "/proc/self/fd/{}/{}",
                     folder_fd, name);
    return address;
}

Fd datagram_socket()
{
    return Fd{socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)};
}

/// One descriptor set of a message: kept up to max_descriptors, closed beyond.
void take_descriptors(const cmsghdr& part, Datagram& out)
{
    const std::size_t count = (part.cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (std::size_t i = 0; i < count; ++i) {
        int raw = -1;
        std::memcpy(&raw, CMSG_DATA(&part) + i * sizeof(int), sizeof raw);
        Fd fd(raw);
        if (out.descriptors.size() < max_descriptors) out.descriptors.push_back(std::move(fd));
        else ++out.closed_descriptors;
    }
}

/// Takes what came beside the bytes. False: no credentials among it, or those of nobody who can be
/// seen from here.
bool read_ancillary(msghdr& header, Datagram& out)
{
    for (cmsghdr* part = CMSG_FIRSTHDR(&header); part; part = CMSG_NXTHDR(&header, part)) {
        if (part->cmsg_level != SOL_SOCKET) continue;
        if (part->cmsg_type == SCM_CREDENTIALS) {
            ucred who{};
            std::memcpy(&who, CMSG_DATA(part), sizeof who);
            out.pid = who.pid;
            out.uid = who.uid;
        }
        if (part->cmsg_type == SCM_RIGHTS) take_descriptors(*part, out);
    }
    return out.pid > 0;
}

enum class Got { message, refused, nothing };

Got receive_from(int fd, Datagram& out)
{
    constexpr std::size_t max_of_kernel =
        253; // SCM_MAX_FD: with less room some would be dropped uncounted
    out.bytes.resize(max_datagram);
    iovec part{out.bytes.data(), out.bytes.size()};
    alignas(
        cmsghdr) char control[CMSG_SPACE(sizeof(ucred)) + CMSG_SPACE(max_of_kernel * sizeof(int))];
    msghdr header{};
    header.msg_name = &out.from;
    header.msg_namelen = sizeof out.from;
    header.msg_iov = &part;
    header.msg_iovlen = 1;
    header.msg_control = control;
    header.msg_controllen = sizeof control;
    const ssize_t count =
        retry_on_eintr([&] { return recvmsg(fd, &header, MSG_CMSG_CLOEXEC | MSG_DONTWAIT); });
    if (count < 0) return Got::nothing;
    const bool vouched = read_ancillary(header, out);
    out.from_length = header.msg_namelen;
    out.cut = (header.msg_flags & MSG_TRUNC) != 0;
    out.bytes.resize(static_cast<std::size_t>(count));
    return vouched ? Got::message : Got::refused;
}

/// A socket with credentials switched on before anything can reach it: a message that was queued
/// without is refused.
Fd receiving_socket()
{
    Fd fd = datagram_socket();
    const int on = 1;
    if (fd && setsockopt(fd.get(), SOL_SOCKET, SO_PASSCRED, &on, sizeof on) != 0) fd.reset();
    return fd;
}

/// FNV-1a: spreads the secret over 64 bits that do not give it away.
std::uint64_t digest(std::string_view text)
{
    std::uint64_t hash = 0xcbf29ce484222325;
    for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
    return hash;
}

/// The address of the socket leads through /proc; the file system of the state root may know no
/// sockets.
Error bind_error(int err)
{
    const bool has_proc = access("/proc/self/fd", F_OK) == 0;
    Error error = Error::system("binding the control socket", err);
    if (!has_proc)
        error.message =
            "there is no /proc here, which bgt needs: mount it (mount -t proc proc /proc)";
    else if (err == EPERM || err == EOPNOTSUPP || err == EINVAL)
        error.message += "; its file system has no sockets: name a folder elsewhere with --root";
    return error;
}

} // namespace

bool is_trusted(const Datagram& message)
{
    return message.uid == 0 || message.uid == geteuid();
}

Result<ControlSocket> ControlSocket::bind(int folder_fd, const char* name,
                                          const std::string& notify_address)
{
    ControlSocket made;
    made.fd_ = receiving_socket();
    if (!made.fd_) return Error::system("making the control socket", errno);
    if (notify_address.starts_with('@')) made.listen_also(notify_address);
    const sockaddr_un address = address_of(folder_fd, name);
    const auto* raw = reinterpret_cast<const sockaddr*>(&address);
    if (::bind(made.fd_.get(), raw, sizeof address) == 0) return made;
    if (errno == EADDRINUSE && unlinkat(folder_fd, name, 0) == 0 &&
        ::bind(made.fd_.get(), raw, sizeof address) == 0)
        return made;
    return bind_error(errno);
}

/// On failure there is the one socket as before: a task that can't notify is better than none.
void ControlSocket::listen_also(const std::string& address)
{
    const Result<UnixAddress> name = unix_address(address);
    Fd fd = receiving_socket();
    Fd epoll(epoll_create1(EPOLL_CLOEXEC));
    if (!name || !fd || !epoll || ::bind(fd.get(), name->get(), name->length) != 0) return;
    for (const int socket : {fd_.get(), fd.get()}) {
        epoll_event event{};
        event.events = EPOLLIN;
        if (epoll_ctl(epoll.get(), EPOLL_CTL_ADD, socket, &event) != 0) return;
    }
    abstract_ = std::move(fd);
    epoll_ = std::move(epoll);
}

std::string ControlSocket::notify_address(const std::string& folder_path, const char* name,
                                          std::string_view secret)
{
    std::string path = folder_path + "/" + name;
    if (path.size() < sizeof(sockaddr_un::sun_path)) return path;
    return fmt::format("@bgt-{:016x}", digest(secret));
}

std::optional<Datagram> ControlSocket::receive()
{
    constexpr int max_refused = 64; // then the caller gets to do other things first
    flooded_ = false;
    for (int i = 0; i < max_refused; ++i) {
        Datagram out;
        Got got = receive_from(fd_.get(), out);
        if (got == Got::nothing && abstract_) got = receive_from(abstract_.get(), out);
        if (got == Got::message) return out;
        if (got == Got::nothing) return std::nullopt;
    }
    flooded_ = true;
    return std::nullopt;
}

void ControlSocket::reply(const Datagram& to, const std::string& bytes)
{
    if (to.from_length <= sizeof(sa_family_t)) return; // the sender has no address to answer to
    const auto* address = reinterpret_cast<const sockaddr*>(&to.from);
    // What was asked for is done: who asked must not hear that it is not, only because memory was
    // short for a moment.
    for (int pause_ms = 1; pause_ms <= max_pause_ms; pause_ms *= 2) {
        if (sendto(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL, address, to.from_length) >=
            0)
            return;
        if (errno != EAGAIN && errno != ENOMEM && errno != ENOBUFS && errno != EINTR)
            return; // it does not wait any more
        poll(nullptr, 0, pause_ms);
    }
}

Result<Question> Question::send(int folder_fd, const char* name, std::string request,
                                std::vector<int> descriptors)
{
    Fd fd = datagram_socket();
    if (!fd) return Error::system("making a socket", errno);
    // An address of our own, chosen by the kernel (autobind), for the answer.
    const sa_family_t family = AF_UNIX;
    if (::bind(fd.get(), reinterpret_cast<const sockaddr*>(&family), sizeof family) != 0)
        return Error::system("binding a socket", errno);
    // connect() would follow a symlink to a socket of somebody else's.
    const Fd place(openat(folder_fd, name, O_PATH | O_NOFOLLOW | O_CLOEXEC));
    struct stat info {};
    if (!place || fstat(place.get(), &info) != 0)
        return Error::system("reaching the supervisor", errno);
    if (!S_ISSOCK(info.st_mode)) return Error::system("reaching the supervisor", ENOTSOCK);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    fmt::format_to_n(address.sun_path, sizeof address.sun_path - 1, "/proc/self/fd/{}",
                     place.get());
    // Connected, so that nobody but the supervisor can send the answer.
    if (connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
        return Error::system("reaching the supervisor", errno);
    Question question(std::move(fd), std::move(request), std::move(descriptors));
    if (question.try_send()) question.sent_ = true;
    else if (errno != EAGAIN && errno != EINTR)
        return Error::system("asking the supervisor", errno);
    return question;
}

/// False: errno says why.
bool Question::try_send() const
{
    if (descriptors_.empty())
        return ::send(fd_.get(), request_.data(), request_.size(), MSG_NOSIGNAL) >= 0;
    iovec part{const_cast<char*>(request_.data()), request_.size()};
    alignas(cmsghdr) char control[CMSG_SPACE(max_descriptors * sizeof(int))]{};
    const std::size_t count = std::min(descriptors_.size(), max_descriptors);
    msghdr header{};
    header.msg_iov = &part;
    header.msg_iovlen = 1;
    header.msg_control = control;
    header.msg_controllen = CMSG_SPACE(count * sizeof(int));
    cmsghdr* rights = CMSG_FIRSTHDR(&header);
    rights->cmsg_level = SOL_SOCKET;
    rights->cmsg_type = SCM_RIGHTS;
    rights->cmsg_len = CMSG_LEN(count * sizeof(int));
    std::memcpy(CMSG_DATA(rights), descriptors_.data(), count * sizeof(int));
    return ::sendmsg(fd_.get(), &header, MSG_NOSIGNAL) >= 0;
}

Result<std::string> Question::answer(int gone, Instant deadline)
{
    while (true) {
        if (!sent_ && try_send()) sent_ = true;
        else if (!sent_ && errno != EAGAIN && errno != EINTR)
            return Error::system("asking the supervisor", errno);
        std::string answer(max_datagram, '\0');
        const ssize_t count = recv(fd_.get(), answer.data(), answer.size(), 0);
        if (count >= 0) {
            answer.resize(static_cast<std::size_t>(count));
            return answer;
        }
        if (errno != EAGAIN && errno != EINTR) return Error::system("asking the supervisor", errno);
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - now()).count();
        if (left <= 0) return Error{ErrorKind::failed, "the supervisor does not answer", ETIMEDOUT};
        pollfd waits[] = {{fd_.get(), static_cast<short>(sent_ ? POLLIN : POLLIN | POLLOUT), 0},
                          {gone, POLLIN, 0}};
        poll(waits, gone >= 0 ? 2 : 1, static_cast<int>(left));
        if (gone >= 0 && (waits[1].revents & POLLIN) && !(waits[0].revents & POLLIN))
            return Error{ErrorKind::failed, "the supervisor has ended", ESRCH};
    }
}

} // namespace bgt::os
