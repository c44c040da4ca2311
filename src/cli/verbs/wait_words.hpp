#pragma once
/// What `bgt wait` makes of the answer of ops::wait.
#include <bgt/ops/wait.hpp>
#include <string>

namespace bgt::cli {

int wait_code(const ops::WaitRequest&, const ops::WaitAnswer&);
/// For stderr; empty: nothing to say.
std::string wait_message(const ops::WaitRequest&, const ops::WaitAnswer&);
/// How a wait was met, for a terminal: "7 web: it listened on port 5173".
std::string wait_summary(const ops::WaitRequest&, const ops::WaitAnswer&);
/// One of the two, for an answer in JSON.
std::string wait_reason(const ops::WaitRequest&, const ops::WaitAnswer&);
/// The line that a terminal shows meanwhile, of at most so many columns.
std::string live_text(const ops::WaitProgress&, std::size_t columns);

} // namespace bgt::cli
