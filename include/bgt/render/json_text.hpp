#pragma once
#include <boost/json/fwd.hpp>
#include <string>

namespace bgt::render {

/// JSON on one line, with numbers as people write them: `0.273` and not `2.73E-1`, `2` and not
/// `2E0`, rounded to milliseconds and tenths of a per cent (three digits behind the point). What a
/// terminal might take for a command is escaped (escape_unsafe_json).
std::string json_text(const boost::json::value&);
std::string json_text(const boost::json::object&);

} // namespace bgt::render
