#include <bgt/store/serve_file.hpp>

#include <bgt/base/descriptor.hpp>
#include <bgt/base/duplicate.hpp>
#include <bgt/store/open_file.hpp>

#include "files.hpp"

#include <fcntl.h>
#include <unistd.h>

namespace bgt::store {

namespace {

constexpr const char* lock_file = "serve.lock"; // it stays: what is in serve.json is replaced
constexpr const char* new_file = "serve.json.new";

} // namespace

Result<ServeFile> ServeFile::take(const Root& root)
{
    const std::string path = root.path() + "/" + serve_file;
    const auto fail = [&] { return detail::explain("can't lock " + path, errno); };
    Fd lock = open_lock_file(root.fd(), lock_file, O_RDWR | O_CREAT);
    if (!lock) return fail();
    if (const int err = detail::lock_waiting(lock.get(), Duration::zero())) {
        if (err == detail::lock_timed_out)
            return Error::failed("a server of this state root runs already; " + path +
                                 " says where it listens");
        return detail::explain("can't lock " + path, err);
    }
    Fd folder = duplicate(root.fd());
    if (!folder) return fail();
    return ServeFile(std::move(folder), std::move(lock), path);
}

Result<void> ServeFile::write(std::string_view content) const
{
    const PrivateUmask umask;
    (void)::unlinkat(folder_.get(), new_file, 0); // nobody else's file gets what is written
    if (const int err = detail::replace_file(folder_.get(), new_file, serve_file, content))
        return detail::explain("can't write " + path_, err);
    return {};
}

ServeFile::~ServeFile()
{
    if (lock_) (void)::unlinkat(folder_.get(), serve_file, 0);
}

} // namespace bgt::store
