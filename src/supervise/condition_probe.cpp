#include <bgt/supervise/condition.hpp>

#include <bgt/os/clock.hpp>
#include <bgt/os/unix_address.hpp>

#include <sys/stat.h>

namespace bgt::supervise {
namespace {

Duration left(Instant deadline)
{
    return std::max<Duration>(deadline - os::now(), std::chrono::milliseconds(1));
}

bool answers(const Condition& condition, Instant deadline)
{
    Result<std::vector<std::string>> addresses = os::resolve(condition.url.host, left(deadline));
    if (!addresses) return false;
    const Result<int> status = os::http_get_status(condition.url, *addresses, left(deadline));
    if (!status) return false;
    return condition.status ? *status == *condition.status : *status >= 200 && *status < 400;
}

/// Whether it is there; `gone` is not looked at.
bool is_there(const Condition& condition, Instant deadline)
{
    switch (condition.kind) {
    case Condition::Kind::tcp: {
        Result<std::vector<std::string>> addresses = os::resolve(condition.text, left(deadline));
        return addresses && os::tcp_connects(*addresses, condition.port, left(deadline));
    }
    case Condition::Kind::http: return answers(condition, deadline);
    case Condition::Kind::unix_socket: return os::unix_connects(condition.text);
    case Condition::Kind::file: {
        struct stat info{};
        return stat(condition.text.c_str(), &info) == 0;
    }
    case Condition::Kind::command: {
        const Result<int> code = os::run_command(condition.text, left(deadline));
        return code && *code == 0;
    }
    case Condition::Kind::exit:
    case Condition::Kind::exit_zero:
    case Condition::Kind::ready:
    case Condition::Kind::log:
    case Condition::Kind::log_fail:
    case Condition::Kind::port:
    case Condition::Kind::progress:
    case Condition::Kind::quiet:
    case Condition::Kind::stalled:
    case Condition::Kind::waiting_input: break;
    }
    return false;
}

} // namespace

bool holds(const Condition& condition, Duration timeout)
{
    return is_there(condition, os::now() + timeout) != condition.gone;
}

} // namespace bgt::supervise
