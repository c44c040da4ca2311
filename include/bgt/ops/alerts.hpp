#pragma once
/// Alerts, [[alert]] of a bgt.toml (`bgt alerts`).
#include <bgt/config/settings.hpp>
#include <bgt/store/alert_book.hpp>
#include <bgt/supervise/alerts.hpp>
#include <string>
#include <vector>

namespace bgt::ops {

/// Makes the alerts that are in force known to the root, and forgets those that its files have no
/// more. `user_file` (empty: unknown) is looked at even if it has none. Costs nothing where the
/// settings have no alerts and are of no project. What there is to say of it, where the file was
/// damaged: then it begins anew. Error: the alerts of the root can't be read or written.
Result<std::string> know_alerts(store::Root&, const config::Settings&,
                                const std::string& user_file = {});

struct AlertRow {
    store::KnownAlert alert;
    std::string value; ///< now; empty: it could not be asked
};
struct AlertsAnswer {
    std::vector<AlertRow> rows;
    std::string problem; ///< why it is not known how they stand now; empty: it is
};
/// Looks at all alerts of the root, which may tell the user, and says how they stand.
Result<AlertsAnswer> alerts(store::Root&);

/// Runs the hook of one, and waits for it. Error (not_found): there is no such alert; (usage): it
/// has no hook.
Result<supervise::AlertHookEnd> test_alert(store::Root&, std::int64_t number);

} // namespace bgt::ops
