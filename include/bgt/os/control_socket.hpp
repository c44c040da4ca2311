#pragma once
/// Datagrams to and from a supervisor: requests of the CLI, and sd_notify messages of the task (man
/// 7 unix).
#include <bgt/base/fd.hpp>
#include <bgt/base/result.hpp>
#include <bgt/base/time.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <sys/un.h>
#include <vector>

namespace bgt::os {

inline constexpr std::size_t max_datagram = 16 * 1024;
/// As many descriptors of one message are kept; what is beyond is closed.
inline constexpr std::size_t max_descriptors = 4;

/// A message with the credentials that the kernel vouches for (SCM_CREDENTIALS).
struct Datagram {
    std::string bytes;
    std::int32_t pid = 0;
    std::uint32_t uid = 0;
    bool cut = false; ///< longer than max_datagram
    std::vector<Fd>
        descriptors; ///< that came with it (SCM_RIGHTS): BARRIER=1 is answered by closing them
    std::uint32_t closed_descriptors = 0; ///< beyond max_descriptors
    sockaddr_un from{};
    socklen_t from_length = 0;
};

/// Whether it came from this user or root.
bool is_trusted(const Datagram&);

class ControlSocket {
public:
    /// Binds NAME in the folder, in place of one that a dead supervisor left. Reached through
    /// /proc/self/fd, for paths of sockets end at 108 bytes. `notify_address`, where it begins with
    /// `@`, is listened on as well (an abstract name, man 7 unix); one that somebody else has is
    /// passed over: has_notify_address() tells.
    static Result<ControlSocket> bind(int folder_fd, const char* name,
                                      const std::string& notify_address = {});

    /// What NOTIFY_SOCKET is to be for the socket NAME in the folder at `folder_path` (absolute):
    /// its path, where one of that length can be had, else an abstract name made of `secret` (the
    /// task's cookie), so that a supervisor that takes over finds the same. The name tells nothing
    /// of the secret, but anybody may send to it: the uid of each message must be looked at.
    /// Hazard: an abstract name can't be reached from another network namespace.
    static std::string notify_address(const std::string& folder_path, const char* name,
                                      std::string_view secret);

    /// Readable when a message waits on either address. (Where there are two, it is an epoll
    /// descriptor.)
    int fd() const { return epoll_ ? epoll_.get() : fd_.get(); }
    bool has_notify_address() const { return static_cast<bool>(abstract_); }
    /// nullopt: nothing is waiting, or so many messages without credentials were thrown away that
    /// others get a turn: was_flooded() tells.
    std::optional<Datagram> receive();
    bool was_flooded() const { return flooded_; }
    /// An answer to the sender; one who has gone is no error.
    void reply(const Datagram& to, const std::string& bytes);

private:
    void listen_also(const std::string& address);

    Fd fd_;
    Fd abstract_; ///< where notify_address is one
    Fd epoll_;    ///< of both
    bool flooded_ = false;
};

/// A request on its way to the socket NAME in a folder. Many can be under way at once.
class Question {
public:
    /// Sends it to the socket NAME in the folder, with copies of `descriptors` (at most
    /// max_descriptors), which stay open until the answer is there. Error: nobody listens.
    static Result<Question> send(int folder_fd, const char* name, std::string request,
                                 std::vector<int> descriptors = {});
    /// Waits for the answer. `gone`, if not -1, is a pidfd of the supervisor: its end ends the
    /// wait. Error: no answer until then (ETIMEDOUT: it can be waited for again).
    Result<std::string> answer(int gone, Instant deadline);

private:
    Question(Fd fd, std::string request, std::vector<int> descriptors)
        : fd_(std::move(fd)), request_(std::move(request)), descriptors_(std::move(descriptors))
    {}
    bool try_send() const;

    Fd fd_;
    std::string request_;
    std::vector<int> descriptors_;
    bool sent_ = false; ///< the receiver had no room at first
};

/// Sends a message by the sd_notify protocol (man 3 sd_notify) to an address as NOTIFY_SOCKET has
/// it, a path or `@name`, then BARRIER=1, and waits until both have been taken: so the sender still
/// lives when the receiver checks who it is. Error: the address is of another kind, nobody listens,
/// or it was not taken within the timeout.
Result<void> send_notification(const std::string& address, const std::string& text,
                               Duration timeout);

} // namespace bgt::os
