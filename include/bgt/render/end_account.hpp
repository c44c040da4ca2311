#pragma once
/// How a task ended, and why, for a person and for a program (`bgt why`).
#include <bgt/ops/why.hpp>
#include <bgt/render/report.hpp>
#include <bgt/render/words.hpp>
#include <boost/json/fwd.hpp>

namespace bgt::render {

/// "7 web ended (exit 3) 4m ago, after 12s"
std::string end_sentence(const ops::EndAccount&, const Moment&);
/// Why: "killed by SIGKILL that bgt did not send: out of memory?"
std::string end_cause(const ops::EndAccount&);
/// A command to copy.
std::string end_next(const ops::EndAccount&);

/// Whether bgt ended it because it hung: then the newest report tells of that.
bool hung(const ops::EndAccount&);

/// These three and the last lines of output. Every line is printable, no wider than asked for, and
/// ends with a newline.
std::string end_text(const ops::EndAccount&, const Moment&, const ReportStyle&);
/// "port 3000 is held by node (pid 71), task 3", and how to end it.
std::string port_words(const ops::PortHolder&);
boost::json::object port_json(store::TaskId complaining, const ops::PortHolder&);
/// The same as JSON, with the task.
boost::json::object end_json(const ops::EndAccount&, const Moment&);

} // namespace bgt::render
