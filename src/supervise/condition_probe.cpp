#include <bgt/supervise/condition.hpp>

#include <bgt/os/clock.hpp>

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

} // namespace

bool holds(const Condition& condition, Duration timeout)
{
    const Instant deadline = os::now() + timeout;
    switch (condition.kind) {
    case Condition::Kind::tcp: {
        Result<std::vector<std::string>> addresses = os::resolve(condition.text, left(deadline));
        return addresses && os::tcp_connects(*addresses, condition.port, left(deadline));
    }
    case Condition::Kind::http: return answers(condition, deadline);
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
    case Condition::Kind::log:
    case Condition::Kind::port: break;
    }
    return false;
}

} // namespace bgt::supervise
