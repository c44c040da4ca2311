#pragma once
/// The head of an HTTP answer, of which only the status matters here: what else is in it may be
/// wrong in every way that curl accepts.
#include <cstdint>
#include <string_view>

namespace bgt::core {

struct HttpHead {
    enum class State : std::uint8_t {
        incomplete, ///< more bytes are needed
        complete,   ///< `status` is that of the answer
        not_http,
    };
    State state = State::incomplete;
    int status = 0; ///< 200 to 999
    bool operator==(const HttpHead&) const = default;
};

/// Reads the head at the begin of `bytes`. Heads with a status of 1xx ("early hints") before it are
/// passed over. `at_end`: the server has closed the connection; a status line is then enough.
HttpHead read_http_head(std::string_view bytes, bool at_end);

} // namespace bgt::core
