#include <bgt/store/name_filter.hpp>

#include <algorithm>
#include <fnmatch.h>

namespace bgt::store {

bool NameFilter::fits(std::string_view name)
{
    if (patterns_.empty()) return true;
    if (const auto known = known_.find(name); known != known_.end()) return known->second;
    const std::string word(name);
    const bool fits = std::ranges::any_of(patterns_, [&](const std::string& pattern) {
        return ::fnmatch(pattern.c_str(), word.c_str(), 0) == 0;
    });
    known_.emplace(word, fits);
    return fits;
}

} // namespace bgt::store
