// Whether lines of output say something new.
#include "fuzz.hpp"

#include <bgt/core/new_text.hpp>

using namespace bgt;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    fuzz::Input in(data, size);
    core::NewText seen;
    while (!in.empty()) {
        const std::string_view line = in.until('\n');
        const std::string masked = core::mask_line(line);
        FUZZ_CHECK(fuzz::is_utf8(masked) && core::mask_line(masked) == masked);
        FUZZ_CHECK(masked.find_first_of("0123456789\t\r\v\f") == std::string::npos &&
                   masked.find("  ") == std::string::npos);
        if (seen.take(line)) FUZZ_CHECK(!masked.empty());
        FUZZ_CHECK(!seen.take(line) && !seen.take(masked)); // it is among the last 64 now
    }
    return 0;
}
