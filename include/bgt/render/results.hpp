#pragma once
/// What tasks said of their results.
#include <bgt/ops/inspect.hpp>
#include <boost/json/fwd.hpp>
#include <string>
#include <vector>

namespace bgt::render {

/// {"summary":...,"metrics":{...},"artifacts":[...],"dropped":0,...}
boost::json::object results_json(const store::TaskResults&);
/// "/p/report.html (12 KiB)", "/p/x: it is not there".
std::string artifact_words(const store::Artifact&);
/// What of them is not shown, and why; a sentence each.
std::vector<std::string> missing_results(const store::TaskResults&);
/// "0.87", "12".
std::string metric_words(double value);
/// Several lines for `bgt result`; without a result, the heading alone.
std::string results_text(const ops::Inspected&);

} // namespace bgt::render
