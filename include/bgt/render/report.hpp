#pragma once
/// A hang report for a person, and for a program (`bgt why`).
#include <bgt/core/diagnosis.hpp>
#include <cstddef>
#include <string>

namespace bgt::render {

struct ReportStyle {
    std::size_t width = 80; ///< columns; no line is longer
    std::size_t lines =
        40; ///< rows: what matters least is left out until it fits (12 at least are used)
    bool color = false;
};

/// The sentence, what to do next, the rule and the ages, the tree with what each process waits for,
/// then sockets, locks, pipes and the machine where they say something, and the last lines of
/// output in the room that is left. Every line is printable and ends with a newline.
std::string report_text(const core::Report&, const ReportStyle&);

/// The report's JSON (store/report.hpp) and a newline.
std::string report_json(const core::Report&);

} // namespace bgt::render
