#include <bgt/os/probe.hpp>

#include <bgt/core/http_head.hpp>

#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/write.hpp>

#include <array>
#include <list>
#include <optional>

namespace bgt::os {

namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using ErrorCode = boost::system::error_code;
using core::HttpHead;

/// "100 Continue" and "103 Early Hints" come before an answer, but not for ever.
constexpr std::size_t max_head_bytes = 64 * 1024;

std::string make_request(const core::HttpUrl& url)
{
    std::string host = core::bracketed_host(url);
    if (url.port != 80) host += ":" + std::to_string(url.port);
    return "GET " + url.target + " HTTP/1.1\r\nHost: " + host +
           "\r\nUser-Agent: bgt\r\nAccept: */*\r\nConnection: close\r\n\r\n";
}

/// One address: connect, ask, read the head of the answer. The first of all exchanges that has a
/// status stops the context.
class Exchange {
public:
    Exchange(asio::io_context& context, const std::string& request, std::optional<int>& status)
        : context_(context), request_(request), status_(status), socket_(context)
    {}
    void start(const tcp::endpoint& to)
    {
        socket_.async_connect(
            to, [this](const ErrorCode& error) { error ? fail(error.message()) : write(); });
    }
    /// Empty: it has not failed.
    const std::string& problem() const { return problem_; }
    /// An answer that is wrong says more than that another address refused.
    bool was_answered() const { return !head_.empty(); }

private:
    void write()
    {
        asio::async_write(socket_, asio::buffer(request_),
                          [this](const ErrorCode& error, std::size_t) {
                              error ? fail(error.message()) : read();
                          });
    }
    void read()
    {
        socket_.async_read_some(asio::buffer(buffer_),
                                [this](const ErrorCode& error, std::size_t count) {
                                    head_.append(buffer_.data(), count);
                                    take(error);
                                });
    }
    void take(const ErrorCode& error)
    {
        const HttpHead head = core::read_http_head(head_, static_cast<bool>(error));
        if (head.state == HttpHead::State::complete && head_.size() <= max_head_bytes) {
            status_ = head.status;
            return context_.stop();
        }
        if (error && head_.empty())
            return fail(error == asio::error::eof ? "it closed the connection" : error.message());
        if (error || head.state == HttpHead::State::not_http) return fail("that is not HTTP");
        if (head_.size() > max_head_bytes) return fail("its head has no end");
        read();
    }
    void fail(std::string problem)
    {
        problem_ = std::move(problem);
        ErrorCode ignored;
        socket_.close(ignored);
    }

    asio::io_context& context_;
    const std::string& request_;
    std::optional<int>& status_;
    tcp::socket socket_;
    std::array<char, 16 * 1024> buffer_;
    std::string head_;
    std::string problem_;
};

Result<int> ask(const core::HttpUrl& url, const std::vector<std::string>& addresses,
                Duration timeout)
{
    const std::string request = make_request(url);
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
        if (exchange.problem().empty()) return Error::failed("no answer in time from " + place);
        if (why.empty() || exchange.was_answered()) why = exchange.problem();
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
