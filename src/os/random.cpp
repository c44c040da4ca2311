#include <bgt/os/random.hpp>

#include <bgt/base/descriptor.hpp>

#include <fcntl.h>
#include <sys/random.h>
#include <unistd.h>

namespace bgt::os {

bool fill_random(void* bytes, std::size_t size)
{
    const auto whole = static_cast<ssize_t>(size);
    if (retry_on_eintr([&] { return ::getrandom(bytes, size, 0); }) == whole) return true;
    const Fd random{::open("/dev/urandom", O_RDONLY | O_CLOEXEC)};
    return random && retry_on_eintr([&] { return ::read(random.get(), bytes, size); }) == whole;
}

} // namespace bgt::os
