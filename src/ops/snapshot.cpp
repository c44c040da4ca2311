#include <bgt/ops/snapshot.hpp>

#include <bgt/base/text.hpp>

namespace bgt::ops {

bool has_survivors(const store::Status& status)
{
    return !is_final(status) && !status.survivors.empty();
}

std::string label(store::TaskId id, const store::Status& status)
{
    return status.name.empty() ? to_string(id) : to_string(id) + " " + printable(status.name);
}

} // namespace bgt::ops
