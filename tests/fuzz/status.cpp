// The status record, and what is shown of a task whose record anybody may have written. The first
// byte says whether the rest is the file as it stands, or the beginning of slots that get their
// magic, zeros behind and a checksum.
#include "fuzz.hpp"
#include "store/crc32c.hpp"

#include "supervise/status_of.hpp"
#include <bgt/render/details.hpp>
#include <bgt/render/json.hpp>
#include <bgt/render/table.hpp>
#include <bgt/render/template.hpp>

#include <algorithm>
#include <cstring>

using namespace bgt;

namespace {

using Bytes = std::vector<std::byte>;
constexpr std::size_t room =
    store::status_slot_size - sizeof(std::uint32_t); ///< before the checksum
const render::Moment now{WallTime(std::chrono::hours(24 * 365 * 50)),
                         Instant(std::chrono::hours(24))};

void add_slot(Bytes& file, std::string_view begin)
{
    Bytes slot(room);
    std::transform(begin.begin(),
                   begin.begin() + static_cast<std::ptrdiff_t>(std::min(begin.size(), room)),
                   slot.begin(), [](char c) { return static_cast<std::byte>(c); });
    std::memcpy(slot.data(), "BGTS", 4);
    const std::uint32_t checksum = store::detail::crc32c(slot);
    slot.resize(store::status_slot_size);
    std::memcpy(slot.data() + room, &checksum, sizeof checksum);
    file.insert(file.end(), slot.begin(), slot.end());
}

Bytes file_of(fuzz::Input in)
{
    const unsigned slots = in.byte();
    const std::string_view rest = in.rest();
    Bytes file;
    if (slots == 0)
        std::transform(rest.begin(), rest.end(), std::back_inserter(file),
                       [](char c) { return static_cast<std::byte>(c); });
    else add_slot(file, rest);
    if (slots > 1) add_slot(file, rest.substr(std::min(rest.size(), room / 2)));
    return file;
}

void check_record(const store::DecodedStatus& decoded)
{
    const store::Status& status = decoded.status;
    FUZZ_CHECK(status.tally.size() <= 9 && status.survivors.size() <= 16);
    FUZZ_CHECK(status.name.size() <= 64 && status.command.size() <= 255 &&
               status.text.size() <= 127 && status.step.size() <= 63);
    if (status.progress) FUZZ_CHECK(*status.progress >= 0 && *status.progress <= 1);
    const auto slot = store::encode_status(status, decoded.generation);
    const auto again = store::decode_status(slot);
    FUZZ_CHECK(again && again->generation == decoded.generation);
    FUZZ_CHECK(store::encode_status(again->status, again->generation) == slot);
}

void check_shown(const store::Status& status)
{
    supervise::Snapshot task;
    task.id.value = 7;
    task.status = status;
    FUZZ_CHECK(supervise::exit_code(status) >= 0 && supervise::exit_code(status) <= 255);
    std::string json = render::tasks_json({task}, now);
    FUZZ_CHECK(json.ends_with('\n'));
    json.pop_back();
    FUZZ_CHECK(fuzz::is_json_line(json));
    render::TableStyle narrow;
    narrow.width = 100;
    for (const auto& style : {narrow, render::TableStyle{}})
        FUZZ_CHECK(fuzz::is_clean(render::task_table({task}, now, style), "\n"));
    FUZZ_CHECK(fuzz::is_clean(render::task_details({task, {}, {}, {}}, now, {}), "\n"));
    std::string all;
    for (std::string_view rest = "id name state lifecycle pid age duration exit_code progress";
         !rest.empty();) {
        const auto word = rest.substr(0, rest.find(' '));
        all += "{" + std::string(word) + "}";
        rest.remove_prefix(std::min(rest.size(), word.size() + 1));
    }
    if (const auto shape = render::Template::parse(all))
        FUZZ_CHECK(fuzz::is_clean(shape->apply(task, now)));
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    const Bytes file = file_of(fuzz::Input(data, size));
    const auto decoded = store::decode_status(file);
    if (!decoded) {
        FUZZ_CHECK(fuzz::is_message(decoded.error().message));
        return 0;
    }
    check_record(*decoded);
    check_shown(decoded->status);
    store::Status status = decoded->status;
    supervise::put_state(supervise::state_of(status, now.mono), status); // a supervisor takes over
    check_shown(status);
    return 0;
}
