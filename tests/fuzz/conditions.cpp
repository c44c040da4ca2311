// Conditions of `bgt wait --for`, with their URLs, ports and patterns, and addresses of local
// sockets.
#include "fuzz.hpp"

#include <bgt/core/condition.hpp>
#include <bgt/os/unix_address.hpp>

using namespace bgt;

namespace {

bool is_target(std::string_view text)
{
    return text.starts_with('/') &&
           text.find_first_of(std::string_view(" \r\n\t\0", 5)) == std::string_view::npos;
}

void check(const core::Condition& condition)
{
    using Kind = core::Condition::Kind;
    FUZZ_CHECK(fuzz::is_clean(condition.before) && !condition.before.empty());
    if (condition.kind() == Kind::tcp) FUZZ_CHECK(condition.port > 0 && !condition.text.empty());
    if (condition.kind() == Kind::http)
        FUZZ_CHECK(condition.url.port > 0 && !condition.url.host.empty() &&
                   is_target(condition.url.target));
    if (condition.status) FUZZ_CHECK(*condition.status >= 100 && *condition.status <= 999);
    if (condition.kind() == Kind::file) FUZZ_CHECK(condition.text.starts_with('/'));
    if (condition.row->word == "progress=")
        FUZZ_CHECK(condition.fraction >= 0 && condition.fraction <= 1);
    if (condition.observes(core::Observation::output)) FUZZ_CHECK(condition.pattern != nullptr);
    if (condition.gone) FUZZ_CHECK(condition.row->can_be_gone);
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    const std::string text(fuzz::Input(data, size).rest());
    const auto condition = core::parse_condition(text, "/folder");
    if (condition) check(*condition);
    else FUZZ_CHECK(fuzz::is_message(condition.error().message));
    if (const auto address = os::unix_address(text))
        FUZZ_CHECK(address->length <= sizeof(sockaddr_un));
    else FUZZ_CHECK(fuzz::is_message(address.error().message));
    return 0;
}
