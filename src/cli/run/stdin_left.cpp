#include "stdin_left.hpp"

#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

namespace bgt::cli {

bool has_unread_input()
{
    struct stat info = {};
    if (::fstat(STDIN_FILENO, &info) != 0) return false;
    if (S_ISREG(info.st_mode)) // of a here-document nothing but this descriptor is left
        return info.st_nlink == 0 && ::lseek(STDIN_FILENO, 0, SEEK_CUR) < info.st_size;
    if (!S_ISFIFO(info.st_mode)) return false;
    pollfd input{STDIN_FILENO, POLLIN, 0};
    return ::poll(&input, 1, 0) > 0 && (input.revents & POLLIN) != 0;
}

} // namespace bgt::cli
