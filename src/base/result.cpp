#include <bgt/base/result.hpp>

#include <cstring>

namespace bgt {

Error Error::system(std::string what, int err)
{
    what += ": ";
    what += std::strerror(err);
    return {ErrorKind::failed, std::move(what), err};
}

} // namespace bgt
