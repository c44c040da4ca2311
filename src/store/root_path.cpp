// Whether the path of the root can be trusted: who may rename one of its parts may put another
// folder in its place.
#include "files.hpp"

#include <bgt/base/text.hpp>
#include <bgt/base/trusted_path.hpp>

#include <unistd.h>

namespace bgt::store::detail {

Result<void> check_way(const std::string& root)
{
    const unsigned user = ::geteuid();
    const auto found = find_untrusted_part(root, user, LastPart::ignored);
    if (!found) return found.error();
    if (!*found) return {};
    const UntrustedPart& part = **found;
    const std::string refused = "the state root " + printable(root) +
                                " can't be trusted: " + printable(part.path) +
                                ", which is on its way, ";
    if (part.is_writable)
        return Error::failed(refused +
                             "is writable by others, who could put another folder in its place: "
                             "chmod go-w it, or name another folder with --root");
    const char* const advice =
        user == 0 ? "use sudo -H, or name a folder of root's with --root or BGT_ROOT"
                  : "name a folder of your own with --root";
    return Error::failed(refused + "belongs to user " + std::to_string(part.owner) +
                         ", not to you (user " + std::to_string(user) + "): " + advice);
}

} // namespace bgt::store::detail
