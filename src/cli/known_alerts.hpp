#pragma once
#include <bgt/cli/context.hpp>

namespace bgt::cli {

/// Makes the alerts of the settings known to the root, for a verb that starts or submits tasks.
/// What goes wrong is said, and is no reason to start nothing.
void know_alerts(Context&, store::Root&, const std::string& user_file = {});

/// Says in one line that the alerts of a bgt.toml are ignored, where they are.
void tell_ignored_alerts(Context&);

} // namespace bgt::cli
