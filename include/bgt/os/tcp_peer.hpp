#pragma once
#include <optional>
#include <sys/types.h>

namespace bgt::os {

/// The user who made the socket at the other end of a TCP connection within this machine (man 7
/// sock_diag); nullopt: the end is on another machine, in another network namespace, closed, or the
/// kernel does not tell.
std::optional<uid_t> tcp_peer_user(int socket);

} // namespace bgt::os
