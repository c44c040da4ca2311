// Ids: on the command line, as names of folders, in the counter, and as the text of a descriptor's
// link.
#include "fuzz.hpp"
#include "store/files.hpp"

using namespace bgt;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    constexpr std::int64_t largest = std::int64_t{1} << 53;
    const std::string_view text = fuzz::Input(data, size).rest();
    const auto id = store::parse_task_id(text);
    if (id) {
        FUZZ_CHECK(id->value >= 1 && id->value <= largest);
        FUZZ_CHECK(store::detail::id_of_entry(store::to_string(*id)) == *id);
        FUZZ_CHECK(store::detail::id_of_text(store::to_string(*id) + "\n") == *id);
    } else {
        FUZZ_CHECK(fuzz::is_message(id.error().message) && id.error().message.size() < 500);
    }
    const store::TaskId entry = store::detail::id_of_entry(text);
    if (entry.value != 0)
        FUZZ_CHECK(id && entry == *id && store::to_string(entry) == text); // one folder for each id
    const store::TaskId counted = store::detail::id_of_text(text);
    if (counted.value != 0)
        FUZZ_CHECK(counted.value >= 1 && counted.value <= largest &&
                   text.starts_with(store::to_string(counted)));
    return 0;
}
