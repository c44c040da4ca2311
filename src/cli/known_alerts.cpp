#include "known_alerts.hpp"

#include <bgt/ops/alerts.hpp>

namespace bgt::cli {

void know_alerts(Context& context, store::Root& root, const std::string& user_file)
{
    const auto known = ops::know_alerts(root, context.settings(), user_file);
    if (!known) context.complain(known.error().message);
    else if (!known->empty()) context.complain(*known);
}

void tell_ignored_alerts(Context& context)
{
    context.tell_ignored({.options = {}, .retention = false, .hooks = false, .alerts = true});
}

} // namespace bgt::cli
