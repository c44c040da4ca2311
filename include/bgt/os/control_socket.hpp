#pragma once
/// Datagrams to and from a supervisor: requests of the CLI, and sd_notify messages of the task (man 7 unix).
#include <bgt/base/fd.hpp>
#include <bgt/base/result.hpp>
#include <bgt/base/time.hpp>
#include <optional>
#include <string>
#include <sys/un.h>

namespace bgt::os {

inline constexpr std::size_t max_datagram = 16 * 1024;

/// A message with the credentials that the kernel vouches for (SCM_CREDENTIALS).
struct Datagram {
    std::string bytes;
    std::int32_t pid = 0;
    std::uint32_t uid = 0;
    bool cut = false;          ///< longer than max_datagram
    sockaddr_un from{};
    socklen_t from_length = 0;
};

class ControlSocket {
public:
    /// Binds NAME in the folder, in place of one that a dead supervisor left. Reached through /proc/self/fd, for paths
    /// of sockets end at 108 bytes.
    static Result<ControlSocket> bind(int folder_fd, const char* name);
    int fd() const { return fd_.get(); }
    /// nullopt: nothing is waiting. Descriptors that came with a message are closed.
    std::optional<Datagram> receive();
    /// An answer to the sender; one who has gone is no error.
    void reply(const Datagram& to, const std::string& bytes);

private:
    Fd fd_;
};

/// Sends a request to the socket NAME in the folder and waits for the answer. `gone`, if not -1, is a pidfd of the
/// supervisor: its end ends the wait. Error: nobody listens, no answer within the timeout.
Result<std::string> ask(int folder_fd, const char* name, const std::string& request, int gone, Duration timeout);

} // namespace bgt::os
