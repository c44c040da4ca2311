#pragma once
/// `bgt alerts`.
#include <bgt/ops/alerts.hpp>
#include <bgt/render/words.hpp>
#include <optional>
#include <string>

namespace bgt::render {

/// Columns N ALERT MATCH STATE NOW TOLD FILE; `width` of the terminal.
std::string alerts_table(const ops::AlertsAnswer&, const Moment& now,
                         std::optional<std::size_t> width);
std::string alerts_json(const ops::AlertsAnswer&);
/// What came of a hook that was tested, with its output.
std::string alert_test_text(std::int64_t number, const supervise::AlertHookEnd&);
std::string alert_test_json(std::int64_t number, const supervise::AlertHookEnd&);

} // namespace bgt::render
