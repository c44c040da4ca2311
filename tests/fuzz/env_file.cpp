// Files of --env-file.
#include "fuzz.hpp"

#include "cli/run/env_file.hpp"

using namespace bgt;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    const auto read = cli::parse_env_file(fuzz::Input(data, size).rest(), "file");
    if (!read) {
        FUZZ_CHECK(fuzz::is_message(read.error().message) &&
                   read.error().message.starts_with("file:"));
        return 0;
    }
    for (const std::string& assignment : *read) {
        const auto equals = assignment.find('=');
        FUZZ_CHECK(equals != std::string::npos &&
                   cli::is_variable_name(assignment.substr(0, equals)));
        FUZZ_CHECK(assignment.find('\0') == std::string::npos);
    }
    return 0;
}
