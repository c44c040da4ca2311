#pragma once
/// The answer of `bgt why --json`.
#include <bgt/ops/why.hpp>
#include <boost/json/fwd.hpp>
#include <string>

namespace bgt::render {

inline constexpr std::size_t max_why_json = 4096; ///< bytes of the short answer

/// {"schema":1,"reports":[...],"ends":[...],...} and a newline. `full` has all the evidence, all
/// output that is kept and the whole task. Without it the answer is at most max_why_json long: the
/// output in it becomes shorter first, then what is left of the rows is counted in `left_out`.
/// `waiting`: why tasks wait in a queue.
std::string why_json(const ops::Each<ops::WhyAnswer>&, const boost::json::array& waiting,
                     bool full);

} // namespace bgt::render
