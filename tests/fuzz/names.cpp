// Names of tasks, and words that are near to others.
#include "fuzz.hpp"

#include <bgt/base/text.hpp>
#include <bgt/store/task_id.hpp>

#include <algorithm>

using namespace bgt;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    fuzz::Input in(data, size);
    const std::string_view name = in.until('\n');
    if (const auto good = store::check_name(name)) {
        FUZZ_CHECK(!name.empty() && name.size() <= 64 && name.front() != '-' &&
                   name.front() != '.');
        FUZZ_CHECK(std::all_of(name.begin(), name.end(),
                               [](char c) { return c > ' ' && c <= '~' && c != '/'; }));
        FUZZ_CHECK(!store::parse_task_id(name));
        FUZZ_CHECK(shell_quote(name) == name);
    } else {
        FUZZ_CHECK(fuzz::is_message(good.error().message) && good.error().message.size() < 500);
    }
    std::vector<std::string> others;
    while (!in.empty() && others.size() < 100) others.emplace_back(in.until('\n'));
    const auto near = near_matches(name, others);
    FUZZ_CHECK(near.size() <= 3);
    for (const std::string& word : near)
        FUZZ_CHECK(word != name && std::find(others.begin(), others.end(), word) != others.end());
    return 0;
}
