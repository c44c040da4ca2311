#pragma once
/// Addresses of AF_UNIX sockets (man 7 unix) as people and NOTIFY_SOCKET write them.
#include <bgt/base/fd.hpp>
#include <bgt/base/result.hpp>
#include <string>
#include <sys/socket.h>
#include <sys/un.h>

namespace bgt::os {

struct UnixAddress {
    sockaddr_un bytes{};
    socklen_t length = 0;
    Fd folder; ///< of a path that is too long for an address: `bytes` lead through it while it is
               ///< open

    const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&bytes); }
};

/// Reads an absolute path of any length, or `@NAME` for an abstract name.
/// Error (usage): neither of them, or a name too long; failed: the folder of a long path can't be
/// opened.
Result<UnixAddress> unix_address(const std::string& text);

/// Whether somebody listens there (a stream, seqpacket or datagram socket). Never waits: a full
/// backlog is a no.
bool unix_connects(const std::string& address);

} // namespace bgt::os
