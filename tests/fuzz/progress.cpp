// Progress in lines of output: the known shapes, and patterns of the user's. The first line is the
// pattern.
#include "fuzz.hpp"

#include <bgt/core/pattern.hpp>
#include <bgt/core/progress.hpp>

#include <cmath>

using namespace bgt;

namespace {

void check(const std::optional<core::Progress>& progress)
{
    if (!progress) return;
    FUZZ_CHECK(progress->fraction && *progress->fraction >= 0 && *progress->fraction <= 1);
    FUZZ_CHECK(fuzz::is_clean(progress->step));
    if (progress->total_steps) FUZZ_CHECK(*progress->total_steps > 0);
    const auto left = core::seconds_left(0, 0, *progress->fraction, 1e6);
    if (left) FUZZ_CHECK(std::isfinite(*left) && *left >= 0);
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    fuzz::Input in(data, size);
    const std::string regex(in.until('\n'));
    const std::string_view line = in.rest();
    check(core::find_progress(line));
    check(core::find_progress(regex));
    const auto pattern = core::Pattern::compile(regex);
    if (!pattern) {
        FUZZ_CHECK(fuzz::is_message(pattern.error().message));
        return 0;
    }
    const auto groups = pattern->groups(line);
    FUZZ_CHECK(groups.has_value() == pattern->matches(line));
    if (groups) FUZZ_CHECK(groups->size() == pattern->group_count());
    check(core::find_progress(line, *pattern));
    return 0;
}
