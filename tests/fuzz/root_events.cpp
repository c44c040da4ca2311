// The event stream of a state root: its segments, and what is shown of it.
#include "fuzz.hpp"

#include <bgt/render/events.hpp>
#include <bgt/store/root_events.hpp>

#include <sys/stat.h>

using namespace bgt;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    static const fuzz::Folder folder;
    ::mkdirat(folder.fd(), store::events_folder, 0700);
    fuzz::Input input(data, size);
    const std::string_view cursor = input.until('\n');
    if (const auto place = store::parse_event_cursor(cursor)) {
        const std::string text = store::to_string(*place);
        FUZZ_CHECK(store::parse_event_cursor(text) == *place);
    }
    const std::string_view text = input.rest();
    folder.write("events/1", text);
    store::EventReader reader(folder.fd());
    std::uint64_t last = 0;
    std::size_t events = 0;
    while (true) {
        const auto item = reader.next();
        FUZZ_CHECK(item);
        if (!*item) break;
        const store::EventReader::Item& one = **item;
        FUZZ_CHECK(one.after.offset >= last);
        last = one.after.offset;
        const std::string shown = render::event_text(one.event, format_rfc3339, false);
        FUZZ_CHECK(fuzz::is_clean(shown, "\n"));
        const ops::EventRecord record{one.event, store::to_string(one.after)};
        std::string json = render::event_line_json(record);
        json.pop_back();
        FUZZ_CHECK(fuzz::is_json_line(json));
        if (one.event.type == "gap") continue;
        ++events;
        std::string again = store::encode_root_event(one.event);
        again.pop_back();
        FUZZ_CHECK(store::decode_root_event(again));
        store::EventReader from_here(folder.fd());
        FUZZ_CHECK(from_here.seek(one.after));
    }
    FUZZ_CHECK(events <= size);
    return 0;
}
