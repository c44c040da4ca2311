#pragma once
/// Every key of the configuration, defined once. To add one: a member of Settings and a row in
/// keys.cpp.
#include <bgt/config/settings.hpp>
#include <span>
#include <string_view>

namespace bgt::config {

struct Key {
    std::string_view name;
    bool takes_number; ///< a file may say it as a whole number, without quotes
    Needs needs;       ///< in order to count in a bgt.toml
    Result<void> (*set)(Settings&,
                        std::string_view); ///< from the text of the environment or the file
    std::string (*print)(const Settings&); ///< the text that `set` reads back
};

/// In the order of Settings.
std::span<const Key> all_keys();

/// nullptr: no such key.
const Key* find_key(std::string_view name);

/// `grace` is BGT_GRACE.
std::string variable_of(const Key&);

} // namespace bgt::config
