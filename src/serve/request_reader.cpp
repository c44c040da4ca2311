// The one file that includes Boost.Beast, whose headers are costly. Its parser is fed by hand, so
// none of its I/O is used.
#include <bgt/serve/http.hpp>

#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>

namespace bgt::serve {

namespace {

namespace http = boost::beast::http;

std::string lower(std::string_view text)
{
    std::string out(text);
    for (char& c : out)
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    return out;
}

} // namespace

struct RequestReader::Parser {
    http::request_parser<http::string_body> of_beast;
    Parser()
    {
        of_beast.header_limit(max_header);
        of_beast.body_limit(max_body);
        of_beast.eager(true);
    }
};

RequestReader::RequestReader() : parser_(std::make_unique<Parser>()) {}
RequestReader::~RequestReader() = default;
RequestReader::RequestReader(RequestReader&&) noexcept = default;
RequestReader& RequestReader::operator=(RequestReader&&) noexcept = default;

RequestReader::State RequestReader::feed(std::string_view bytes)
{
    held_ += bytes;
    return parse();
}

RequestReader::State RequestReader::next()
{
    parser_ = std::make_unique<Parser>();
    request_ = {};
    begun_ = false;
    state_ = State::header;
    return parse();
}

RequestReader::State RequestReader::parse()
{
    auto& parser = parser_->of_beast;
    while (state_ != State::wrong && state_ != State::whole && !held_.empty()) {
        begun_ = true;
        boost::beast::error_code error;
        const std::size_t taken =
            parser.put(boost::asio::const_buffer(held_.data(), held_.size()), error);
        held_.erase(0, taken);
        if (error == http::error::header_limit)
            return refuse(431, "the headers are longer than 8 KiB");
        if (error == http::error::body_limit) return refuse(413, "the body is longer than 1 MiB");
        if (error && error != http::error::need_more)
            return refuse(400, "this is not HTTP: " + error.message());
        if (parser.is_header_done() && state_ == State::header) note_header();
        if (state_ == State::wrong) return state_;
        if (parser.is_done()) {
            request_.body = std::move(parser.get().body());
            return state_ = State::whole;
        }
        if (error || taken == 0) break;
    }
    return state_;
}

void RequestReader::note_header()
{
    const auto& message = parser_->of_beast.get();
    request_.method = message.method_string();
    request_.target = message.target();
    request_.keep_alive = parser_->of_beast.keep_alive();
    for (const auto& field : message)
        request_.headers.emplace_back(lower(field.name_string()), field.value());
    state_ = State::body;
    if (request_.count("transfer-encoding") != 0)
        refuse(411, "send the body with a Content-Length, not in chunks");
    else if (message.version() < 10 || message.version() > 11)
        refuse(505, "HTTP/1.1 is spoken here");
    else if (request_.count("upgrade") != 0) refuse(400, "no other protocol is spoken here");
}

RequestReader::State RequestReader::refuse(int status, std::string why)
{
    refusal_ = problem(status, why);
    held_.clear();
    return state_ = State::wrong;
}

} // namespace bgt::serve
