#pragma once
#include <fcntl.h>
#include <unistd.h>

namespace bgt {

/// An exclusive lock of a whole file, to be taken or asked for (man 2 fcntl: F_SETLK, F_OFD_SETLK,
/// F_OFD_GETLK ...).
inline struct flock whole_file()
{
    struct flock lock {};
    lock.l_type = F_WRLCK;
    lock.l_whence = SEEK_SET;
    return lock;
}

} // namespace bgt
