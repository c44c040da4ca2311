#include "tell_ignored.hpp"

#include <algorithm>

namespace bgt::cli {

void tell_ignored(Context& context, const RunOptions& options)
{
    const auto& project = context.settings().project;
    if (!project) return;
    std::vector<std::string> names;
    for (const auto& [option, where] : options.ignored) names.push_back(option.substr(2));
    const bool has_retention = std::ranges::any_of(context.config().rows, [](const auto& row) {
        return row.ignored && row.ignored->needs == config::Needs::own_settings;
    });
    // Whoever trusts the file was told by `bgt trust`.
    context.tell_ignored({.options = names,
                          .retention = has_retention && !project->is_trusted(),
                          .hooks = true,
                          .alerts = true});
}

} // namespace bgt::cli
