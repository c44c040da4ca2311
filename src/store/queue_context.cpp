#include <bgt/store/queue_context.hpp>

#include "files.hpp"
#include "json_fields.hpp"

#include <bgt/base/siphash.hpp>
#include <bgt/base/text.hpp>

#include <algorithm>
#include <array>
#include <boost/json.hpp>
#include <fcntl.h>
#include <unistd.h>

namespace bgt::store {
namespace {

namespace json = boost::json;
using namespace fields;

constexpr std::string_view prefix = "context-";
constexpr std::size_t max_context_size = 64u << 20;

/// The content is the user's own: that two differ and share a name is not to be feared.
std::string name_of(std::string_view content)
{
    const KeyedHash hash =
        siphash(HashKey{}, {reinterpret_cast<const std::uint8_t*>(content.data()), content.size()});
    std::string name(prefix);
    for (const std::uint8_t byte : hash)
        for (const int half : {byte >> 4, byte & 15}) name += "0123456789abcdef"[half];
    return name;
}

Privileges decode_privileges(const json::object& from)
{
    Privileges may;
    if (const auto* groups = find(from, "groups"))
        for (const json::value& group : as_array(*groups, "groups"))
            may.groups.push_back(group.to_number<std::uint32_t>());
    if (const auto* found = find(from, "capabilities")) {
        const json::array& sets = as_array(*found, "capabilities");
        if (sets.size() != 5) bad("capabilities", "a list of five");
        const std::array into{&may.inheritable, &may.permitted, &may.effective, &may.bounding,
                              &may.ambient};
        for (std::size_t at = 0; at < into.size(); ++at)
            *into[at] = sets[at].to_number<std::uint64_t>();
    }
    take(from, "no_new_privs", may.no_new_privileges);
    if (find(from, "group")) take(from, "group", may.group.emplace());
    if (find(from, "securebits")) take(from, "securebits", may.secure_bits.emplace());
    if (const auto* found = find(from, "seccomp")) {
        const json::array& two = as_array(*found, "seccomp");
        if (two.size() != 2) bad("seccomp", "a list of two");
        may.seccomp = Seccomp{two[0].to_number<int>(), two[1].to_number<int>()};
    }
    return may;
}

Namespaces decode_namespaces(const json::object& from)
{
    Namespaces in;
    const auto *inodes = find(from, "namespaces"), *boot = find(from, "boot");
    if (inodes == nullptr || boot == nullptr) return in; // of an older bgt
    const json::array& four = as_array(*inodes, "namespaces");
    const json::array& bytes = as_array(*boot, "boot");
    if (four.size() != 4) bad("namespaces", "a list of four");
    if (bytes.size() != in.boot.size()) bad("boot", "a list of 16");
    const std::array into{&in.mount, &in.pid, &in.network, &in.user};
    for (std::size_t at = 0; at < into.size(); ++at)
        *into[at] = four[at].to_number<std::uint64_t>();
    for (std::size_t at = 0; at < in.boot.size(); ++at)
        in.boot[at] = bytes[at].to_number<std::uint8_t>();
    return in;
}

QueueContext decode_fields(const json::object& from)
{
    QueueContext context;
    if (const auto* env = find(from, "env"))
        for (const json::value& entry : as_array(*env, "env"))
            context.env.push_back(as_text(entry, "env"));
    if (find(from, "keep_env")) take(from, "keep_env", context.keep_env);
    take(from, "umask", context.umask);
    if (const auto* limits = find(from, "limits"))
        for (const json::value& item : as_array(*limits, "limits")) {
            const json::array& three = as_array(item, "limits");
            if (three.size() != 3) bad("limits", "a list of three");
            context.limits.push_back({three[0].to_number<int>(),
                                      three[1].to_number<std::uint64_t>(),
                                      three[2].to_number<std::uint64_t>()});
        }
    take(from, "nice", context.nice);
    if (const auto* processors = find(from, "processors"))
        for (const json::value& one : as_array(*processors, "processors"))
            context.processors.push_back(one.to_number<int>());
    context.privileges = decode_privileges(from);
    context.namespaces = decode_namespaces(from);
    take(from, "keep_ended", context.retention.keep_ended);
    take(from, "history_max", context.retention.history_max);
    if (find(from, "keep_age_ns")) take(from, "keep_age_ns", context.retention.keep_age.emplace());
    if (const auto* level = find(from, "log_level")) {
        const auto known = core::parse_event_level(as_text(*level, "log_level"));
        if (!known) bad("log_level", "error, warning, info or debug");
        context.retention.log_level = *known;
    }
    return context;
}

} // namespace

std::string encode_context(const QueueContext& context)
{
    json::object out;
    out["schema"] = 1;
    out["env"] = json::array(context.env.begin(), context.env.end());
    if (context.keep_env) out["keep_env"] = true;
    out["umask"] = context.umask;
    json::array limits;
    for (const CallerLimit& limit : context.limits)
        limits.push_back(json::array{limit.resource, limit.soft, limit.hard});
    out["limits"] = std::move(limits);
    out["nice"] = context.nice;
    out["processors"] = json::array(context.processors.begin(), context.processors.end());
    const Privileges& may = context.privileges;
    out["groups"] = json::array(may.groups.begin(), may.groups.end());
    out["capabilities"] =
        json::array{may.inheritable, may.permitted, may.effective, may.bounding, may.ambient};
    out["no_new_privs"] = may.no_new_privileges;
    if (may.group) out["group"] = *may.group;
    if (may.secure_bits) out["securebits"] = *may.secure_bits;
    if (may.seccomp) out["seccomp"] = json::array{may.seccomp->mode, may.seccomp->filters};
    const Namespaces& in = context.namespaces;
    out["namespaces"] = json::array{in.mount, in.pid, in.network, in.user};
    out["boot"] = json::array(in.boot.begin(), in.boot.end());
    out["keep_ended"] = context.retention.keep_ended;
    out["history_max"] = context.retention.history_max;
    if (context.retention.keep_age) out["keep_age_ns"] = context.retention.keep_age->count();
    if (context.retention.log_level != core::EventLevel::info)
        out["log_level"] = core::to_string(context.retention.log_level);
    return json::serialize(out);
}

Result<QueueContext> decode_context(std::string_view text)
{
    try {
        boost::system::error_code ec;
        const json::value whole = parse_bytes(text, ec);
        if (ec) return Error{ErrorKind::failed, ec.message(), damaged_file};
        return decode_fields(as_object(whole, "context"));
    } catch (const std::exception& problem) { // BadField, and those of Boost.JSON
        return Error{ErrorKind::failed, fields::words_of(problem), damaged_file};
    }
}

std::string context_name(const QueueContext& context)
{
    return name_of(encode_context(context));
}

Result<std::string> keep_context(const QueueFile& queue, const QueueContext& context)
{
    const std::string content = encode_context(context);
    const std::string name = name_of(content);
    const auto kept = detail::read_file(queue.folder(), name.c_str(), max_context_size, {});
    if (kept && *kept == content) return name; // else it is damaged, and made anew
    if (const int err =
            detail::replace_file(queue.folder(), (".new-" + name).c_str(), name.c_str(), content))
        return detail::explain("can't keep the environment of a waiting task", err);
    return name;
}

Result<QueueContext> read_context(const QueueFile& queue, const std::string& name)
{
    const std::string path = queue.folder_path() + "/" + printable(name);
    const auto damaged = [&](const std::string& why) {
        return Error{ErrorKind::failed,
                     path + ", the environment of the task, is damaged (" + why +
                         "): it can't be started; cancel it (bgt kill), and submit it again",
                     damaged_file};
    };
    if (!name.starts_with(prefix) || name.find('/') != name.npos)
        return damaged("that is no name of one");
    const auto text =
        detail::read_file(queue.folder(), name.c_str(), max_context_size, "can't read " + path);
    if (!text && text.error().sys_errno == ENOENT) return damaged("it is not there");
    if (!text && text.error().sys_errno == EFBIG) return damaged("it is too large");
    if (!text) return text.error();
    if (name_of(*text) != name) return damaged("it is not what was written");
    Result<QueueContext> context = decode_context(*text);
    return context ? std::move(context) : damaged(context.error().message);
}

std::vector<std::string> context_names(const QueueFile& queue)
{
    std::vector<std::string> names;
    detail::Listing listing(detail::open_below(queue.folder(), ".", O_RDONLY | O_DIRECTORY));
    if (!listing) return names;
    while (const char* entry = listing.next())
        if (std::string_view(entry).starts_with(prefix)) names.emplace_back(entry);
    return names;
}

void clear_contexts(const QueueFile& queue, const std::vector<std::string>& used)
{
    detail::Listing listing(detail::open_below(queue.folder(), ".", O_RDONLY | O_DIRECTORY));
    if (!listing) return;
    while (const char* entry = listing.next()) {
        const std::string_view name = entry;
        // Whoever made one of the latter was killed: that is done under the lock only.
        const bool is_unused =
            name.starts_with(prefix) && std::ranges::find(used, name) == used.end();
        if (is_unused || name.starts_with(".new-" + std::string(prefix)))
            ::unlinkat(queue.folder(), entry, 0);
    }
}

} // namespace bgt::store
