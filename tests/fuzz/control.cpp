// Datagrams on ctl.sock: requests to a supervisor, and its answers.
#include "fuzz.hpp"

#include "supervise/protocol.hpp"

using namespace bgt;

namespace {

void check_request(std::string_view bytes)
{
    const auto read = supervise::decode_request(bytes);
    if (!read) {
        FUZZ_CHECK(fuzz::is_message(read.error().message));
        return;
    }
    FUZZ_CHECK(read->signal >= 0 && read->signal <= 64 &&
               core::by_number(core::reasons, static_cast<std::int64_t>(read->reason)));
    if (read->ladder) FUZZ_CHECK(!read->ladder->empty() && read->ladder->size() <= 8);
    const auto again = supervise::decode_request(supervise::encode_request(*read));
    FUZZ_CHECK(again && again->op == read->op && again->reason == read->reason &&
               again->now == read->now);
    FUZZ_CHECK(again->ladder == read->ladder && again->signal == read->signal &&
               again->whole_tree == read->whole_tree);
}

void check_answer(std::string_view bytes)
{
    const auto read = supervise::decode_answer(bytes);
    if (!read) {
        FUZZ_CHECK(fuzz::is_message(read.error().message));
        return;
    }
    const auto again = supervise::decode_answer(supervise::encode_answer(*read));
    FUZZ_CHECK(again && again->error == read->error && again->count == read->count);
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    const std::string_view bytes = fuzz::Input(data, size).rest();
    check_request(bytes);
    check_answer(bytes);
    return 0;
}
