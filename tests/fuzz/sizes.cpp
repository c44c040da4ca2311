// Sizes, and the limits of `--limit`.
#include "fuzz.hpp"

#include "cli/run/limits.hpp"
#include <bgt/base/size.hpp>
#include <bgt/base/text.hpp>

#include <algorithm>

using namespace bgt;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    const std::string text(fuzz::Input(data, size).rest());
    if (const auto read = parse_size(text)) {
        FUZZ_CHECK(*read <= std::uint64_t{1} << 62);
        const auto again = parse_size(format_size_exact(*read));
        FUZZ_CHECK(again && *again == *read);
    } else {
        FUZZ_CHECK(fuzz::is_message(read.error().message) &&
                   display_width(read.error().message) < 400);
    }
    const auto number = static_cast<std::uint64_t>(fuzz::Input(data, size).number());
    const std::string shown = format_size(number);
    FUZZ_CHECK(shown.size() <= 8 && fuzz::is_clean(shown));

    if (const auto limit = cli::parse_resource_limit(text)) {
        const auto& names = cli::limit_names();
        FUZZ_CHECK(std::find(names.begin(), names.end(), limit->name) != names.end());
    } else {
        FUZZ_CHECK(fuzz::is_message(limit.error().message) &&
                   display_width(limit.error().message) < 400);
    }
    return 0;
}
