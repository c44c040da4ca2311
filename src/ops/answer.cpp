#include <bgt/ops/answer.hpp>

#include <cerrno>
#include <poll.h>

namespace bgt::ops {

bool Cancel::requested() const
{
    pollfd one{fd, POLLIN, 0};
    return fd >= 0 && ::poll(&one, 1, 0) > 0;
}

Error cancelled()
{
    return {ErrorKind::failed, "cancelled", ECANCELED};
}

bool is_cancelled(const Error& error)
{
    return error.sys_errno == ECANCELED;
}

} // namespace bgt::ops
