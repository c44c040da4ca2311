#pragma once
/// What verbs that end tasks say of it.
#include "live_line.hpp"

#include <bgt/cli/context.hpp>
#include <bgt/ops/stop.hpp>
#include <set>
#include <string>

namespace bgt::cli {

/// What came of one stop, and the exit code that it means.
struct StopWords {
    std::string text;    ///< "ended 5 processes in 0.12 s (4 by SIGTERM, 1 by SIGKILL)"
    int code = code::ok; ///< not ok: the text is a complaint
};
StopWords stop_words(const ops::Stopped&);

/// Shows what a stop waits for: on a terminal as a line, and what may never end in any case.
class StopDisplay {
public:
    explicit StopDisplay(Context&);
    void show(const ops::StopWait&);
    /// To be called before anything else is printed.
    void clear() { line_.clear(); }

private:
    Context& context_;
    LiveLine line_;
    bool live_;
    std::set<std::string> told_of_;
};

} // namespace bgt::cli
