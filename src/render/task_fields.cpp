#include <bgt/render/task_fields.hpp>

#include <bgt/base/text.hpp>
#include <bgt/render/brief.hpp>
#include <bgt/render/json.hpp>

#include <boost/json.hpp>

#include <algorithm>

namespace bgt::render {

namespace {

namespace json = boost::json;

/// Those of brief_task_json() that task_json() has not.
constexpr std::string_view lean_fields[] = {"age", "attempts", "last"};

std::vector<std::string> known_fields(std::span<const std::string_view> more)
{
    std::vector<std::string> out;
    for (const auto& member : task_json(ops::Snapshot{}, Moment{})) out.emplace_back(member.key());
    out.insert(out.end(), std::begin(lean_fields), std::end(lean_fields));
    for (const std::string_view name : more)
        if (std::ranges::find(out, name) == out.end()) out.emplace_back(name);
    return out;
}

/// Without what is null, empty or false inside of it.
void prune(json::value& value)
{
    auto* const object = value.if_object();
    if (object == nullptr) return;
    json::object kept;
    for (auto& member : *object) {
        prune(member.value());
        const json::value& one = member.value();
        const bool is_empty = one.is_null() || one == json::value(false) ||
                              (one.is_string() && one.get_string().empty()) ||
                              (one.is_array() && one.get_array().empty()) ||
                              (one.is_object() && one.get_object().empty());
        if (!is_empty) kept[member.key()] = std::move(member.value());
    }
    *object = std::move(kept);
}

} // namespace

Result<std::vector<std::string>> parse_task_fields(std::string_view text,
                                                   std::span<const std::string_view> more)
{
    const std::vector<std::string> known = known_fields(more);
    std::vector<std::string> out = split(text, ',');
    for (const std::string& name : out) {
        if (std::ranges::find(known, name) != known.end()) continue;
        std::string list;
        for (const std::string& one : known) list += (list.empty() ? "" : ", ") + one;
        return Error::usage("--fields: there is no field '" + fit(printable(name), 40) +
                            "'; there are " + list);
    }
    return out;
}

json::object chosen_task_json(const ops::Snapshot& task, const Moment& now,
                              const TaskFields& fields, json::object more)
{
    json::object lean = brief_task_json(task, now);
    if (fields.names.empty() && fields.brief) return lean;
    json::object whole = task_json(task, now);
    if (!fields.names.empty() && task.problem.empty()) {
        lean["attempts"] = task.status.attempt;
        for (const std::string_view name : lean_fields)
            whole[name] = lean.contains(name) ? lean[name] : json::value(nullptr);
    }
    for (auto& member : more) whole[member.key()] = std::move(member.value());
    if (fields.names.empty()) return whole;
    json::object out;
    for (const std::string& name : fields.names)
        out[name] = whole.contains(name) ? whole[name] : json::value(nullptr);
    if (!fields.brief) return out;
    for (const char* const name : {"attempt", "attempts"})
        if (out.contains(name) && out[name] == json::value(1)) out.erase(name);
    json::value pruned(std::move(out));
    prune(pruned);
    return std::move(pruned.get_object());
}

} // namespace bgt::render
