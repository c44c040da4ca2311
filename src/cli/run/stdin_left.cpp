#include "stdin_left.hpp"

#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

namespace bgt::cli {

bool has_unread_input()
{
    struct stat info = {};
    if (::fstat(STDIN_FILENO, &info) != 0) return false;
    if (S_ISREG(info.st_mode)) {
        const off_t at = ::lseek(STDIN_FILENO, 0, SEEK_CUR);
        // Of a here-document nothing but this descriptor is left.
        return (at == 0 || info.st_nlink == 0) && at >= 0 && at < info.st_size;
    }
    int unread = 0;
    if (S_ISFIFO(info.st_mode)) return ::ioctl(STDIN_FILENO, FIONREAD, &unread) == 0 && unread > 0;
    char byte = 0;
    return S_ISSOCK(info.st_mode) && ::recv(STDIN_FILENO, &byte, 1, MSG_PEEK | MSG_DONTWAIT) > 0;
}

} // namespace bgt::cli
