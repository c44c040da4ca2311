#include <bgt/supervise/condition_probe.hpp>

#include <bgt/os/clock.hpp>
#include <bgt/os/probe.hpp>
#include <bgt/os/unix_address.hpp>

#include <algorithm>
#include <sys/stat.h>

namespace bgt::supervise {
namespace {

using core::Condition;
using core::fact::Answered;

Duration left(Instant deadline)
{
    return std::max<Duration>(deadline - os::now(), std::chrono::milliseconds(1));
}

Result<int> status_of(const core::HttpUrl& url, Instant deadline)
{
    if (url.tls) return os::https_get_status(url, left(deadline));
    BGT_TRY_ASSIGN(const std::vector<std::string> addresses, os::resolve(url.host, left(deadline)));
    return os::http_get_status(url, addresses, left(deadline));
}

Answered ask_http(const Condition& condition, Instant deadline)
{
    const Result<int> status = status_of(condition.url, deadline);
    if (!status) return {false, status.error().message};
    const bool wanted =
        condition.status ? *status == *condition.status : *status >= 200 && *status < 400;
    return {wanted, "answered " + std::to_string(*status), true};
}

Answered ask_tcp(const Condition& condition, Instant deadline)
{
    const Result<std::vector<std::string>> addresses = os::resolve(condition.text, left(deadline));
    if (!addresses) return {false, addresses.error().message};
    return {os::tcp_connects(*addresses, condition.port, left(deadline)), {}};
}

Answered ask_command(const Condition& condition, Instant deadline)
{
    const Result<int> code = os::run_command(condition.text, left(deadline));
    if (!code) return {false, code.error().message};
    return {*code == 0, "exit " + std::to_string(*code)};
}

Answered ask_unix(const Condition& condition, Instant)
{
    return {os::unix_connects(condition.text), {}};
}

Answered ask_file(const Condition& condition, Instant)
{
    struct stat info {};
    return {stat(condition.text.c_str(), &info) == 0, {}};
}

/// The question of each kind of probe; `gone` is not looked at.
constexpr struct Question {
    Condition::Kind kind;
    Answered (*ask)(const Condition&, Instant deadline);
} questions[] = {
    {Condition::Kind::tcp, ask_tcp},          {Condition::Kind::http, ask_http},
    {Condition::Kind::unix_socket, ask_unix}, {Condition::Kind::file, ask_file},
    {Condition::Kind::command, ask_command},
};

} // namespace

Answered probe(const Condition& condition, Duration timeout)
{
    const auto* const question = std::ranges::find(questions, condition.kind(), &Question::kind);
    if (question == std::end(questions)) return {};
    Answered answer = question->ask(condition, os::now() + timeout);
    answer.yes = answer.yes != condition.gone;
    return answer;
}

} // namespace bgt::supervise
