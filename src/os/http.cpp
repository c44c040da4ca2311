// The one file that includes Beast.
#include <bgt/os/probe.hpp>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/write.hpp>

#include <list>
#include <optional>

namespace bgt::os {

namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using asio::ip::tcp;
using ErrorCode = boost::system::error_code;
using Request = http::request<http::empty_body>;

constexpr unsigned max_head_bytes = 64 * 1024;
/// Of one answer: "100 Continue" and "103 Early Hints" come before it, but not for ever.
constexpr int max_heads = 8;

Request make_request(const core::HttpUrl& url)
{
    Request request{http::verb::get, url.target, 11};
    std::string host = url.host.find(':') == url.host.npos ? url.host : "[" + url.host + "]";
    if (url.port != 80) host += ":" + std::to_string(url.port);
    request.set(http::field::host, host);
    request.set(http::field::user_agent, "bgt");
    request.set(http::field::accept, "*/*");
    request.set(http::field::connection, "close");
    return request;
}

/// One address: connect, ask, read the head of the answer. The first of all exchanges that has a
/// status stops the context.
class Exchange {
public:
    Exchange(asio::io_context& context, const Request& request, std::optional<int>& status)
        : context_(context), request_(request), status_(status), socket_(context)
    {}
    void start(const tcp::endpoint& to)
    {
        socket_.async_connect(to,
                              [this](const ErrorCode& error) { error ? fail(error) : write(); });
    }
    const ErrorCode& error() const { return error_; }

private:
    void write()
    {
        http::async_write(socket_, request_, [this](const ErrorCode& error, std::size_t) {
            error ? fail(error) : read();
        });
    }
    void read()
    {
        if (++heads_ > max_heads) return fail(http::error::header_limit);
        parser_.emplace();
        parser_->header_limit(max_head_bytes);
        http::async_read_header(
            socket_, buffer_, *parser_,
            [this](const ErrorCode& error, std::size_t) { error ? fail(error) : take_status(); });
    }
    void take_status()
    {
        const auto status = static_cast<int>(parser_->get().result_int());
        if (status / 100 == 1) return read(); // "early hints": the answer proper follows
        status_ = status;
        context_.stop();
    }
    void fail(const ErrorCode& error)
    {
        error_ = error;
        ErrorCode ignored;
        socket_.close(ignored);
    }

    asio::io_context& context_;
    const Request& request_;
    std::optional<int>& status_;
    tcp::socket socket_;
    boost::beast::flat_buffer buffer_{128 * 1024};
    std::optional<http::response_parser<http::empty_body>> parser_;
    int heads_ = 0;
    ErrorCode error_;
};

Result<int> ask(const core::HttpUrl& url, const std::vector<std::string>& addresses,
                Duration timeout)
{
    const Request request = make_request(url);
    const std::string place = url.host + " port " + std::to_string(url.port);
    std::optional<int> status;
    asio::io_context context(1);
    std::list<Exchange> exchanges;
    for (const std::string& text : addresses) {
        ErrorCode error;
        const auto address = asio::ip::make_address(text, error);
        if (!error) exchanges.emplace_back(context, request, status).start({address, url.port});
    }
    if (exchanges.empty()) return Error::failed("no address to ask for " + place);
    context.run_for(timeout);
    if (status) return *status;
    std::string why;
    for (const Exchange& exchange : exchanges) {
        if (!exchange.error()) return Error::failed("no answer in time from " + place);
        // An error of HTTP says more than that the other address refused.
        if (why.empty() || exchange.error().category() != boost::system::system_category())
            why = exchange.error().message();
    }
    return Error::failed("no HTTP answer from " + place + ": " + why);
}

} // namespace

Result<int> http_get_status(const core::HttpUrl& url, const std::vector<std::string>& addresses,
                            Duration timeout)
{
    try {
        return ask(url, addresses, timeout);
    } catch (const std::exception& problem) {
        return Error::failed("can't ask " + url.host + ": " + problem.what());
    }
}

} // namespace bgt::os
