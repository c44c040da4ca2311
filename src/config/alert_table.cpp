#include "alert_table.hpp"

#include <bgt/base/text.hpp>
#include <bgt/core/http_url.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>

namespace bgt::config {
namespace {

constexpr std::size_t max_match = 255; ///< as a name
constexpr std::size_t max_text = 8192;

/// Empty: it was taken.
std::string take_when(Alert& alert, const std::string& text)
{
    const auto when = core::parse_alert_condition(text);
    if (!when) return when.error().message;
    alert.rule.when = *when;
    return {};
}

std::string take_over(Alert& alert, const std::string& text)
{
    const auto over = parse_duration(text);
    if (!over) return over.error().message;
    alert.rule.over = *over;
    return {};
}

std::string take_min_runs(Alert& alert, const std::string& text)
{
    std::uint32_t count = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
    if (error != std::errc{} || end != text.data() + text.size() || count == 0)
        return "it is a whole number of runs, at least 1";
    alert.rule.min_runs = count;
    return {};
}

std::string take_match(Alert& alert, const std::string& text)
{
    alert.rule.match = text;
    return text.empty() || text.size() > max_match ? "it is a pattern for names, e.g. \"nightly*\""
                                                   : "";
}

std::string take_run(Alert& alert, const std::string& text)
{
    alert.run = text;
    return text.empty() ? "a command is missing" : "";
}

std::string take_webhook(Alert& alert, const std::string& text)
{
    alert.webhook = text;
    if (!text.starts_with("http://") && !text.starts_with("https://"))
        return "it begins with http:// or https://";
    const auto url = core::parse_http_url(text);
    return url ? "" : url.error().message;
}

struct AlertKey {
    std::string_view name;
    bool takes_number;
    std::string (*take)(Alert&, const std::string&);
};
constexpr std::array keys{
    AlertKey{"when", false, take_when},        AlertKey{"over", true, take_over},
    AlertKey{"min_runs", true, take_min_runs}, AlertKey{"match", false, take_match},
    AlertKey{"run", false, take_run},          AlertKey{"webhook", false, take_webhook},
};

Error unknown_key(const Entry& entry)
{
    std::vector<std::string> names;
    std::string all;
    for (const AlertKey& key : keys) {
        names.emplace_back(key.name);
        all += (all.empty() ? "" : ", ") + names.back();
    }
    const auto near = near_matches(entry.key, names);
    return Error::usage(fmt::format(
        "{}: unknown key {} in an alert; {}", entry.key_at,
        shell_quote(fit(printable(entry.key), 40)),
        near.empty() ? "it takes " + all : fmt::format("did you mean `{}`?", near.front())));
}

Result<void> take(Alert& alert, const Entry& entry)
{
    const auto* key = std::ranges::find(keys, std::string_view(entry.key), &AlertKey::name);
    if (key == keys.end()) return unknown_key(entry);
    const auto* number = std::get_if<long long>(&entry.value);
    const auto* text = std::get_if<std::string>(&entry.value);
    if (!text && !(number && key->takes_number))
        return Error::usage(fmt::format("{}: {} must be a string", entry.value_at, key->name));
    const std::string words = text ? *text : std::to_string(*number);
    std::string why;
    if (words.size() > max_text) why = "it is too long";
    else if (words.find('\0') != words.npos) why = "it has a NUL";
    else why = key->take(alert, words);
    if (!why.empty())
        return Error::usage(fmt::format("{}: {}: {}", entry.value_at, key->name, why));
    return {};
}

} // namespace

Result<Alert> alert_of(const RuleTable& table, const std::string& file, Origin origin)
{
    Alert alert;
    alert.origin = origin;
    alert.file = file;
    alert.where = table.line_at;
    alert.folder = file.substr(0, file.rfind('/'));
    if (alert.folder.empty()) alert.folder = "/";
    bool has_when = false;
    for (const Entry& entry : table.entries) {
        BGT_TRY(take(alert, entry));
        has_when = has_when || entry.key == "when";
    }
    if (!has_when)
        return Error::usage(
            fmt::format("{}: an alert needs `when`, e.g. when = \"error_rate > 0.1\"", table.at));
    if (!alert.run.empty() && !alert.webhook.empty())
        return Error::usage(
            fmt::format("{}: an alert takes `run` or `webhook`, not both", table.at));
    if (auto fine = core::check(alert.rule); !fine)
        return Error::usage(fmt::format("{}: {}", table.at, fine.error().message));
    return alert;
}

} // namespace bgt::config
