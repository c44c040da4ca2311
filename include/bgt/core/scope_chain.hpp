#pragma once
/// The scopes (`bgt scope`) inside which a task was started: the task ends with the first of their
/// processes that ends.
#include <bgt/base/process_key.hpp>
#include <bgt/base/result.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace bgt::core {

/// Scopes can't be nested deeper.
inline constexpr std::size_t max_scopes = 32;
/// The variable that carries the chain to what is started inside.
inline constexpr const char* scope_variable = "BGT_SCOPE";

struct ScopeChain {
    BootId boot{};                     ///< in which the processes were started
    std::vector<ProcessKey> processes; ///< the outermost first
    bool empty() const { return processes.empty(); }
    bool contains(const BootId& of_boot, const ProcessKey& scope) const;
    bool operator==(const ScopeChain&) const = default;
};

/// "BOOT/PID.TICKS:PID.TICKS", the boot in 32 hex digits; empty for none.
std::string encode_scopes(const ScopeChain&);
/// Error (usage): not of that form, or more than max_scopes.
Result<ScopeChain> parse_scopes(std::string_view text);

} // namespace bgt::core
