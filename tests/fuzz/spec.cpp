// spec.json, and what the core makes of rules that somebody else wrote. Behind a NUL: what happens
// to the task, a byte each.
#include "fuzz.hpp"

#include <bgt/core/step.hpp>
#include <bgt/store/spec.hpp>

using namespace bgt;

namespace {

core::Event event_of(unsigned number)
{
    switch (number % 12) {
    case 0: return core::MainEnded{core::Exited{1}};
    case 1: return core::MainEnded{core::Unseen{}};
    case 2: return core::TreeEmpty{};
    case 3: return core::TreeLives{2};
    case 4: return core::Swept{1};
    case 5: return core::StopRequested{};
    case 6: return core::StopRequested{core::Reason::killed, false, std::nullopt, true};
    case 7: return core::PauseRequested{};
    case 8: return core::Sampled{};
    case 9: return core::Ready{};
    case 10: return core::Started{};
    default: return core::Tick{};
    }
}

/// Time passes to the next date where the high bit is set; the lower ones say what happens then.
void play(const core::Policy& spec, std::string_view script)
{
    Instant now{std::chrono::hours(1)};
    core::State state = core::step(spec, {}, core::Started{}, now).state;
    for (const char c : script) {
        const auto byte = static_cast<unsigned char>(c);
        const auto next = core::next_deadline(spec, state);
        if (byte >= 0x80 && next && *next > now) now = *next;
        const core::Lifecycle before = core::lifecycle(state);
        state = core::step(spec, std::move(state), event_of(byte & 0x7fu), now).state;
        if (before == core::Lifecycle::ended)
            FUZZ_CHECK(core::lifecycle(state) == core::Lifecycle::ended);
    }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    fuzz::Input in(data, size);
    const auto read = store::decode_spec(in.until('\0'));
    if (!read) {
        FUZZ_CHECK(fuzz::is_message(read.error().message));
        return 0;
    }
    FUZZ_CHECK(read->id.value >= 1 && !read->command.empty());
    const std::string text = store::encode_spec(*read);
    const auto again = store::decode_spec(text);
    FUZZ_CHECK(again && store::encode_spec(*again) == text);
    play(read->policy, in.rest().substr(0, 1000));
    return 0;
}
