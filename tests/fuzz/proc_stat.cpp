// /proc/PID/stat: the text as it stands, and one of a process that has given itself the input as a
// name.
#include "fuzz.hpp"
#include "os/sample/sample_text.hpp"

#include <bgt/os/proc.hpp>

using namespace bgt;

namespace {

/// Fields 4 to 24 of man 5 proc: each its own number, so that none is taken for another.
std::string fields()
{
    std::string text;
    for (int field = 4; field <= 24; ++field) text += " " + std::to_string(field * 100);
    return text;
}

void check_named(std::string_view name)
{
    static const std::string behind = ") S" + fields() + " 0 0\n";
    const std::string text = "4211 (" + std::string(name) + behind;
    const auto stat = os::parse_stat(text);
    FUZZ_CHECK(stat && stat->comm == name && stat->state == 'S');
    FUZZ_CHECK(stat->key.pid == 4211 && stat->key.start_ticks == 2200 && stat->ppid == 400 &&
               stat->pgrp == 500);
    FUZZ_CHECK(stat->session == 600 && stat->cpu_ticks == 1400 + 1500 && stat->threads == 2000);
    const auto life = os::parse_life_stat(text);
    FUZZ_CHECK(life && life->state == 'S' && life->ppid == 400 && life->start_ticks == 2200);
    FUZZ_CHECK(life->own_ticks == 1400 + 1500 && life->reaped_ticks == 1600 + 1700 &&
               life->threads == 2000);
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    const std::string_view text = fuzz::Input(data, size).rest();
    check_named(text);
    const auto stat = os::parse_stat(text);
    const auto life = os::parse_life_stat(text);
    if (!stat) return 0;
    FUZZ_CHECK(text.find(stat->comm) != std::string_view::npos);
    // Both read the same text in the same way.
    FUZZ_CHECK(life && life->state == stat->state && life->ppid == stat->ppid &&
               life->pgrp == stat->pgrp);
    FUZZ_CHECK(life->threads == stat->threads && life->start_ticks == stat->key.start_ticks);
    static_cast<void>(os::is_living(*stat));
    return 0;
}
