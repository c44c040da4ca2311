#pragma once
/// The messages on ctl.sock between the CLI and a supervisor, as JSON of one datagram.
#include <bgt/base/result.hpp>
#include <bgt/core/task.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace bgt::supervise {

struct Request {
    enum class Op : std::uint8_t {
        stop,
        signal,
        pause,
        resume,
        stdin_eof,
        restart,
        sample,
        report,
        ready_lost,
        start_beside, ///< start another task beside the tree of this one (independent.hpp)
        watch_pause
    };
    Op op = Op::stop;
    core::Reason reason = core::Reason::killed; ///< stop
    bool now = false;                           ///< stop, restart
    bool no_escalation = false; ///< stop; a supervisor that does not know it hastens
    std::optional<std::vector<core::StopStep>> ladder; ///< stop, restart
    int signal = 0;                                    ///< signal
    bool whole_tree = false;                           ///< signal
    std::string text;             ///< ready_lost: the condition that holds no longer
    std::vector<int> descriptors; ///< that go with it, open until the answer is there; start_beside
};

struct Answer {
    std::string error;       ///< empty: done
    std::uint32_t count = 0; ///< processes that got the signal; report: its number
};

std::string encode_request(const Request&);
/// Error (failed): not of that form; unknown fields are passed over.
Result<Request> decode_request(std::string_view bytes);
std::string encode_answer(const Answer&);
Result<Answer> decode_answer(std::string_view bytes);

} // namespace bgt::supervise
