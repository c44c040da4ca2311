#include <bgt/base/duplicate.hpp>

#include <fcntl.h>

namespace bgt {

Fd duplicate(int descriptor)
{
    return Fd(::fcntl(descriptor, F_DUPFD_CLOEXEC, 3));
}

} // namespace bgt
