#pragma once
/// A task in about 120 bytes of JSON, for programs that pay for each byte that they read. What is
/// not known, or is as always, is left out.
#include <bgt/render/words.hpp>
#include <boost/json/fwd.hpp>
#include <cstddef>
#include <string>

namespace bgt::render {

/// {"id":7,"name":"web","state":"ready","age":12,"ports":[5173],"attempts":2,"last":"..."}; of an
/// ended task `exit`, the code of the table of exit codes. `state` is the word of `bgt ps`, `age`
/// is in seconds, `attempts` is there from the second one on, `last` is the last line of output,
/// cut at 80 columns. Needs a snapshot with ports (of a running task) and log_tail.
boost::json::object brief_task_json(const ops::Snapshot&, const Moment& now = Moment::now());

/// Printable lines of at most `max_bytes` from the end of a text, beginning with a whole line where
/// there is one, and no line longer than `line_max` bytes.
std::string tail_of(std::string_view text, std::size_t max_bytes, std::size_t line_max);
/// Each line cut to `line_max` bytes, with "… (+123)" for what is left out. Valid UTF-8 stays so.
std::string cut_lines(std::string_view text, std::size_t line_max);

} // namespace bgt::render
