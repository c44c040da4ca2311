// events.jsonl, and what is shown of it.
#include "fuzz.hpp"

#include <bgt/render/details.hpp>
#include <bgt/store/events.hpp>

#include <algorithm>

using namespace bgt;

namespace {

void check_event(const store::TaskEvent& event)
{
    FUZZ_CHECK(!event.event.empty());
    std::vector<store::EventField> fields;
    for (const auto& [key, value] : event.fields) fields.push_back({key, value});
    FUZZ_CHECK(fuzz::is_json_line(store::encode_event(event.at, event.event, fields)));
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    static const fuzz::Folder folder;
    const std::string_view text = fuzz::Input(data, size).rest();
    folder.write("events.jsonl", text);
    const auto read = store::read_events(folder.fd(), 20);
    FUZZ_CHECK(read);
    FUZZ_CHECK(read->events.size() <= 20);
    const auto newlines = static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
    FUZZ_CHECK(read->events.size() + read->damaged_lines <= newlines + 1);
    for (const store::TaskEvent& event : read->events) check_event(event);

    supervise::Snapshot task;
    task.id.value = 7;
    const std::string shown = render::task_details({task, {}, read->events, read->events}, {}, {});
    FUZZ_CHECK(fuzz::is_clean(shown, "\n"));
    return 0;
}
