#pragma once
/// HTTP/1.1 as this server speaks it: requests from bytes, answers to bytes. Pure; what comes in is
/// hostile.
#include <boost/json/object.hpp>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace bgt::serve {

inline constexpr std::size_t max_header = 8 * 1024; ///< bytes of the request line and all headers
inline constexpr std::size_t max_body = 1024 * 1024;

struct Request {
    std::string method;
    std::string target;                                       ///< as sent: path and query
    std::vector<std::pair<std::string, std::string>> headers; ///< names in lower case
    std::string body;
    bool keep_alive = false;

    std::size_t count(std::string_view name) const;
    /// The first of this name, "" where there is none.
    std::string_view header(std::string_view name) const;
};

struct Response {
    int status = 200;
    std::string type = "application/json";
    std::string body;
    std::vector<std::pair<std::string, std::string>> more = {}; ///< headers besides the usual ones
};

/// Reads the requests of one connection, one after the other.
class RequestReader {
public:
    RequestReader();
    ~RequestReader();
    RequestReader(RequestReader&&) noexcept;
    RequestReader& operator=(RequestReader&&) noexcept;

    enum class State : unsigned char {
        header, ///< more is needed
        body,   ///< the headers are there (request()), the body is not
        whole,
        wrong, ///< refusal() says why; nothing more can be read
    };
    /// Takes what has come. After `whole` it is held until next().
    State feed(std::string_view bytes);
    State state() const { return state_; }
    /// Whether a byte of the request has come.
    bool has_begun() const { return begun_; }
    const Request& request() const { return request_; }
    const Response& refusal() const { return refusal_; }
    /// Begins the next request, with what has come of it already.
    State next();

private:
    State parse();
    State refuse(int status, std::string why);
    void note_header();

    struct Parser;
    std::unique_ptr<Parser> parser_;
    std::string held_; ///< not yet parsed
    State state_ = State::header;
    bool begun_ = false;
    Request request_;
    Response refusal_;
};

/// The name of a status, "Not Found".
std::string_view reason_of(int status);
/// An error as application/problem+json (RFC 9457), with members of its own in `more`.
Response problem(int status, std::string_view detail, boost::json::object more = {});

/// The whole answer. `keep_alive`: more requests are taken after it.
std::string to_bytes(const Response&, bool keep_alive);
/// The head of a stream of events, which goes on until the connection is closed.
std::string stream_head();
/// One event (server-sent events of HTML); `data` is one line. An empty id is left out.
std::string event_text(std::string_view event, std::string_view id, std::string_view data);

} // namespace bgt::serve
