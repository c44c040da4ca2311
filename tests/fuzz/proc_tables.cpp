// Other texts of /proc (man 5 proc): the tables of sockets, and environ, io, syscall and fdinfo of
// a process.
#include "fuzz.hpp"
#include "os/sample/sample_text.hpp"

#include "os/evidence/stack_dump.hpp"
#include <bgt/os/ports.hpp>
#include <bgt/os/tree.hpp>

#include <algorithm>

using namespace bgt;

namespace {

void check_environment(std::string_view text)
{
    constexpr std::string_view cookie = "0123456789abcdef";
    const os::Cookie found = os::find_cookie(text, cookie);
    if (found == os::Cookie::ours) FUZZ_CHECK(text.find(cookie) != std::string_view::npos);
    if (found != os::Cookie::none) FUZZ_CHECK(text.find("BGT_COOKIE=") != std::string_view::npos);
    const std::string marked =
        std::string(text) + '\0' + "BGT_COOKIE=other:" + std::string(cookie) + ":third" + '\0';
    FUZZ_CHECK(os::find_cookie(marked, cookie) == os::Cookie::ours);

    fuzz::Input in(reinterpret_cast<const std::uint8_t*>(text.data()), text.size());
    os::RuntimeMarks marks;
    marks.program = in.until('\n');
    marks.command_line = in.until('\n');
    for (const std::uint64_t caught : {std::uint64_t{0}, ~std::uint64_t{0}}) {
        marks.caught = caught;
        const auto signal = os::dump_signal(marks);
        FUZZ_CHECK(!signal || caught != 0); // never one that the process has no handler for
    }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    const std::string_view text = fuzz::Input(data, size).rest();
    const auto lines = static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n')) + 1;
    FUZZ_CHECK(os::parse_proc_net(text).size() <= lines);
    const auto inputs = os::epoll_inputs(text);
    FUZZ_CHECK(inputs.size() <= std::min<std::size_t>(64, lines));
    FUZZ_CHECK(std::ranges::all_of(inputs, [](int fd) { return fd >= 0; }));
    static_cast<void>(os::io_counters(text));
    if (const auto call = os::parse_syscall(text)) FUZZ_CHECK(call->number >= 0);
    check_environment(text);
    return 0;
}
