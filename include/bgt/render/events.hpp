#pragma once
#include <bgt/ops/events.hpp>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace bgt::render {

/// {"schema":1,"events":[...],"cursor":"..."} and a newline.
std::string events_json(const std::vector<ops::EventRecord>&, const std::string& cursor);
/// One of them: {"schema":1,"at":...,"type":...} and a newline.
std::string event_line_json(const ops::EventRecord&);
/// "7 (web) has ended: exit_code=3": what it says, without its time, level and type.
std::string event_sentence(const store::RootEvent&);
/// A line for people, and with a failure the last lines of its output below it. `clock` prints
/// times; `width` of the terminal, at which lines are cut.
std::string event_text(const store::RootEvent&, const std::function<std::string(WallTime)>& clock,
                       bool color, std::optional<std::size_t> width = {});

} // namespace bgt::render
