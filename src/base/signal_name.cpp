#include <bgt/base/signal_name.hpp>

#include <bgt/base/text.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <csignal>
#include <optional>

namespace bgt {

namespace {

struct Name {
    int number;
    std::string_view name;
};
/// The first name of a number is the one that is shown.
constexpr std::array names{
    Name{SIGHUP, "HUP"},   Name{SIGINT, "INT"},       Name{SIGQUIT, "QUIT"},
    Name{SIGILL, "ILL"},   Name{SIGTRAP, "TRAP"},     Name{SIGABRT, "ABRT"},
    Name{SIGIOT, "IOT"},   Name{SIGBUS, "BUS"},       Name{SIGFPE, "FPE"},
    Name{SIGKILL, "KILL"}, Name{SIGUSR1, "USR1"},     Name{SIGSEGV, "SEGV"},
    Name{SIGUSR2, "USR2"}, Name{SIGPIPE, "PIPE"},     Name{SIGALRM, "ALRM"},
    Name{SIGTERM, "TERM"}, Name{SIGSTKFLT, "STKFLT"}, Name{SIGCHLD, "CHLD"},
    Name{SIGCHLD, "CLD"},  Name{SIGCONT, "CONT"},     Name{SIGSTOP, "STOP"},
    Name{SIGTSTP, "TSTP"}, Name{SIGTTIN, "TTIN"},     Name{SIGTTOU, "TTOU"},
    Name{SIGURG, "URG"},   Name{SIGXCPU, "XCPU"},     Name{SIGXFSZ, "XFSZ"},
    Name{SIGPROF, "PROF"}, Name{SIGVTALRM, "VTALRM"}, Name{SIGWINCH, "WINCH"},
    Name{SIGIO, "IO"},     Name{SIGPOLL, "POLL"},     Name{SIGPWR, "PWR"},
    Name{SIGSYS, "SYS"},
};
constexpr int last_signal = 64;

std::optional<int> whole_number(std::string_view text)
{
    int value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (text.empty() || error != std::errc{} || end != text.data() + text.size())
        return std::nullopt;
    return value;
}

/// `RTMIN`, `RTMIN+2`, `RTMAX-1`. The libc keeps the first real-time signals to itself, so RTMIN is
/// asked for.
std::optional<int> real_time(std::string_view name)
{
    const bool from_first = name.starts_with("RTMIN");
    if (!from_first && !name.starts_with("RTMAX")) return std::nullopt;
    const int base = from_first ? SIGRTMIN : SIGRTMAX;
    const auto rest = name.substr(5);
    if (rest.empty()) return base;
    if (rest.front() != (from_first ? '+' : '-')) return std::nullopt;
    const auto distance = whole_number(rest.substr(1));
    if (!distance || *distance < 0 || *distance > SIGRTMAX - SIGRTMIN) return std::nullopt;
    return from_first ? base + *distance : base - *distance;
}

} // namespace

std::string signal_name(int number)
{
    const auto* found =
        std::find_if(names.begin(), names.end(), [=](const Name& n) { return n.number == number; });
    if (found != names.end()) return fmt::format("SIG{}", found->name);
    if (number == SIGRTMIN) return "SIGRTMIN";
    if (number > SIGRTMIN && number <= SIGRTMAX)
        return fmt::format("SIGRTMIN+{}", number - SIGRTMIN);
    return fmt::format("SIG{}", number);
}

Result<int> parse_signal(std::string_view text)
{
    std::string upper(text.substr(0, 16)); // longer than any name
    for (char& c : upper) {
        if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
    }
    std::string_view name = upper;
    if (name.starts_with("SIG")) name.remove_prefix(3);
    const auto* found =
        std::find_if(names.begin(), names.end(), [=](const Name& n) { return n.name == name; });
    if (found != names.end() && text.size() == upper.size()) return found->number;
    auto number = whole_number(name);
    if (!number) number = real_time(name);
    if (number && *number >= 1 && *number <= last_signal && text.size() == upper.size())
        return *number;
    return Error::usage(
        fmt::format("unknown signal {}: write e.g. TERM, SIGINT, 15 (`kill -l` lists them)",
                    shell_quote(fit(printable(text), 40))));
}

} // namespace bgt
