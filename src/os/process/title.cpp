#include <bgt/os/title.hpp>

#include <algorithm>
#include <cstring>
#include <span>
#include <sys/prctl.h>

namespace bgt::os {
namespace {

std::span<char> arguments;

} // namespace

void remember_arguments(int argc, char** argv)
{
    if (argc < 1) return;
    char* end = argv[0];
    // The kernel lays them down one behind the other; what stands elsewhere is not what /proc
    // shows.
    for (int i = 0; i < argc && argv[i] == end; ++i) end += std::strlen(argv[i]) + 1;
    arguments = {argv[0], end};
}

void hide_arguments(std::string_view title)
{
    if (arguments.empty()) return;
    // The last byte stays NUL: without it the kernel would show the environment, too.
    const std::size_t size = std::min(title.size(), arguments.size() - 1);
    std::ranges::fill(arguments, '\0');
    std::copy_n(title.begin(), size, arguments.begin());
}

void set_title(const std::string& title)
{
    ::prctl(PR_SET_NAME, title.c_str());
    hide_arguments(title);
}

} // namespace bgt::os
