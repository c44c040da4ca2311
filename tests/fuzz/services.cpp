// Command lines, one word a line: what is known to be a service, and how words are shown to a
// shell.
#include "fuzz.hpp"

#include <bgt/base/text.hpp>
#include <bgt/config/services.hpp>

using namespace bgt;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    fuzz::Input in(data, size);
    std::vector<std::string> command;
    while (!in.empty()) command.emplace_back(in.until('\n'));
    const auto bare = config::bare_command(command);
    const config::KnownService* known = config::find_service(command);
    if (known)
        FUZZ_CHECK(!bare.empty() &&
                   std::string_view(known->programs).find(bare[0]) != std::string_view::npos);
    if (known == nullptr || bare.size() > command.size()) return 0;
    // What wraps a command changes nothing about it.
    std::vector<std::string> wrapped{"nohup"};
    wrapped.insert(wrapped.end(), bare.begin(), bare.end());
    FUZZ_CHECK(config::find_service(wrapped) == config::find_service(bare));
    return 0;
}
