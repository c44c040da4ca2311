#pragma once
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace bgt::store {

/// Names that fit one of some patterns (man 3 fnmatch: * and ?). The names are few and the runs
/// many: each name is compared once.
class NameFilter {
public:
    /// No patterns: every name fits.
    explicit NameFilter(std::vector<std::string> patterns) : patterns_(std::move(patterns)) {}

    bool fits(std::string_view name);

private:
    std::vector<std::string> patterns_;
    std::map<std::string, bool, std::less<>> known_;
};

} // namespace bgt::store
