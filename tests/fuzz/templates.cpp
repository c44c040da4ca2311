// Templates of `--format`.
#include "fuzz.hpp"

#include <bgt/render/template.hpp>

using namespace bgt;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    const std::string_view text = fuzz::Input(data, size).rest();
    const auto shape = render::Template::parse(text);
    if (!shape) {
        FUZZ_CHECK(fuzz::is_message(shape.error().message));
        return 0;
    }
    supervise::Snapshot task;
    task.id.value = 7;
    const std::string shown = shape->apply(task, {});
    FUZZ_CHECK(!text.empty() || shown.empty());
    return 0;
}
