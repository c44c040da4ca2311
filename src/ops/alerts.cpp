#include <bgt/ops/alerts.hpp>

#include <bgt/base/descriptor.hpp>
#include <bgt/base/text.hpp>
#include <bgt/os/clock.hpp>
#include <bgt/store/queue_file.hpp>

#include <algorithm>

namespace bgt::ops {
namespace {

store::AlertDefinition definition_of(const config::Alert& alert)
{
    return {alert.rule, alert.run, alert.webhook, to_valid_utf8(alert.file), alert.folder};
}

/// Those whose alerts are known now, all of them.
std::vector<std::string> files_of(const config::Settings& settings, const std::string& user_file)
{
    std::vector<std::string> files;
    if (settings.project) files.push_back(to_valid_utf8(settings.project->file()));
    if (!user_file.empty()) files.push_back(to_valid_utf8(user_file));
    for (const config::Alert& alert : settings.alerts) files.push_back(to_valid_utf8(alert.file));
    return files;
}

bool is_damage(const Error& error)
{
    return error.sys_errno == store::damaged_file;
}

} // namespace

Result<std::string> know_alerts(store::Root& root, const config::Settings& settings,
                                const std::string& user_file)
{
    const std::vector<std::string> files = files_of(settings, user_file);
    if (files.empty() || !root.exists()) return std::string();
    std::vector<store::AlertDefinition> now;
    for (const config::Alert& alert : config::alerts_in_force(settings))
        now.push_back(definition_of(alert));
    auto known = store::read_alerts(root);
    if (!known && !is_damage(known.error())) return known.error();
    if (known && !store::update_definitions(*known, now, files, os::wall_now()))
        return std::string();
    const PrivateUmask umask;
    BGT_TRY_ASSIGN(const store::AlertLock lock, store::AlertLock::take(root));
    auto book = store::read_alerts(root); // with what another has changed meanwhile
    if (!book && !is_damage(book.error())) return book.error();
    std::string problem = book ? std::string() : book.error().message;
    store::AlertBook all = book ? *std::move(book) : store::AlertBook{};
    store::update_definitions(all, now, files, os::wall_now());
    BGT_TRY(lock.write(root, all));
    return problem;
}

Result<AlertsAnswer> alerts(store::Root& root)
{
    AlertsAnswer answer;
    if (!root.exists()) return answer;
    const auto round = supervise::look_at_alerts(root, {.wants_findings = true});
    if (!round) answer.problem = round.error().message;
    BGT_TRY_ASSIGN(const store::AlertBook book, store::read_alerts(root));
    for (const store::KnownAlert& alert : book.alerts) {
        AlertRow row{alert, {}};
        if (round)
            for (const auto& [number, finding] : round->findings)
                if (number == alert.number) row.value = finding.value;
        answer.rows.push_back(std::move(row));
    }
    return answer;
}

Result<supervise::AlertHookEnd> test_alert(store::Root& root, std::int64_t number)
{
    BGT_TRY_ASSIGN(store::AlertBook book, store::read_alerts(root));
    const store::KnownAlert* alert = book.find(number);
    if (!alert)
        return Error::not_found("there is no alert " + std::to_string(number) +
                                " (bgt alerts lists them)");
    auto end = supervise::test_alert(root, *alert);
    if (!end && end.error().kind == ErrorKind::usage)
        return Error::usage("alert " + std::to_string(number) + ": " + end.error().message);
    return end;
}

} // namespace bgt::ops
