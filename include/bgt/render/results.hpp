#pragma once
/// What tasks said of their results.
#include <bgt/ops/inspect.hpp>
#include <boost/json/fwd.hpp>
#include <string>

namespace bgt::render {

/// {"summary":...,"metrics":{...},"artifacts":[...]}
boost::json::object results_json(const store::TaskResults&);
/// "/p/report.html (12 KiB)", "/p/x: it is not there".
std::string artifact_words(const store::Artifact&);
/// "0.87", "12".
std::string metric_words(double value);
/// Several lines for `bgt result`; without a result, the heading alone.
std::string results_text(const ops::Inspected&);

} // namespace bgt::render
