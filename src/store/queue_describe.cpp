// What a waiting task will be.
#include <bgt/store/queue_view.hpp>

#include "json_fields.hpp"

#include <boost/json.hpp>

namespace bgt::store {
namespace {

namespace json = boost::json;

/// Decoded at a time: one of an array of thousands is large.
constexpr std::size_t max_recent = 2;

/// `{}` in each word.
void fill_in(std::vector<std::string>& command, const std::string& text)
{
    for (std::string& word : command)
        for (std::size_t at = word.find("{}"); at != word.npos;
             at = word.find("{}", at + text.size()))
            word.replace(at, 2, text);
}

Error damaged(const QueueFile& file, const std::string& what)
{
    return {ErrorKind::failed,
            file.folder_path() + "/journal is damaged: " + what +
                "; the task can't be started: cancel it (bgt kill), and submit it again",
            damaged_file};
}

} // namespace

Result<std::shared_ptr<const Described>> QueueView::described(std::int64_t key) const
{
    if (const auto found = recent_.find(key); found != recent_.end()) return found->second;
    const RecordPlace* place = place_of(key);
    if (!place) return damaged(file_, "it does not say what its tasks are");
    BGT_TRY_ASSIGN(QueueRecord record, file_.read(*place));
    auto* described = std::get_if<Described>(&record);
    if (!described) return damaged(file_, "a description is none");
    if (recent_.size() >= max_recent) recent_.clear();
    return recent_[key] = std::make_shared<const Described>(std::move(*described));
}

Result<std::string> QueueView::spec_text(const Described& described) const
{
    if (described.like == 0) return described.spec;
    BGT_TRY_ASSIGN(const auto base, this->described(described.like));
    if (described.changes.empty()) return base->spec;
    try {
        boost::system::error_code ec, ec_of_changes;
        json::value spec = fields::parse_bytes(base->spec, ec);
        const json::value changes = fields::parse_bytes(described.changes, ec_of_changes);
        if (ec || ec_of_changes) return damaged(file_, "a description is no JSON");
        for (const auto& change : changes.as_object())
            spec.as_object()[change.key()] = change.value();
        return json::serialize(spec);
    } catch (const std::exception& problem) { // of Boost.JSON
        return damaged(file_, fields::words_of(problem));
    }
}

Result<WaitingTask> QueueView::describe(TaskId id) const
{
    const auto after = dropped_.upper_bound(id.value);
    const bool is_dropped = dropped_for(id).has_value();
    const std::int64_t key =
        is_dropped ? std::prev(after)->second.described_by : description_of(id.value);
    const bool known = key != 0 && (is_waiting(id) || is_claimed(id) || is_dropped);
    if (!known) return Error::not_found("no task " + to_string(id) + " waits");
    BGT_TRY_ASSIGN(const std::shared_ptr<const Described> one, described(key));
    BGT_TRY_ASSIGN(const std::string text, spec_text(*one));
    BGT_TRY_ASSIGN(TaskSpec spec, decode_spec(text));
    WaitingTask task{std::move(spec), one->context, {}};
    if (one->like != 0) {
        BGT_TRY_ASSIGN(const auto base, described(one->like));
        if (task.context.empty()) task.context = base->context;
    }
    task.spec.id = id;
    task.spec.created = WallTime(Duration(one->submitted_ns));
    const auto at = static_cast<std::size_t>(id.value - one->key);
    if (one->index_step != 0) {
        const std::string index =
            std::to_string(one->index_first + static_cast<std::int64_t>(at) * one->index_step);
        task.spec.element_env = {"BGT_ARRAY_INDEX=" + index};
        fill_in(task.spec.command, index);
    } else if (at < one->texts.size()) {
        task.spec.element_env = {"BGT_ARRAY_INDEX=" + std::to_string(at + 1),
                                 "BGT_ITEM=" + one->texts[at]};
        fill_in(task.spec.command, one->texts[at]);
    }
    task.extra_env = task.spec.element_env; // else of another run of an element
    return task;
}

Result<WaitingTask> QueueView::describe(const Schedule& schedule) const
{
    BGT_TRY_ASSIGN(const auto one, described(schedule.is.described_by));
    BGT_TRY_ASSIGN(TaskSpec spec, decode_spec(one->spec));
    return WaitingTask{std::move(spec), one->context, {}};
}

Result<std::vector<core::TaskRange>> QueueView::waiting_in_scope(const BootId& boot,
                                                                 const ProcessKey& scope) const
{
    std::map<std::int64_t, bool> is_inside; // by the description that others are like
    std::vector<core::TaskRange> out;
    for (const core::WaitingTasks& tasks : state_.waiting()) {
        const std::int64_t key = description_of(tasks.first);
        BGT_TRY_ASSIGN(const auto one, described(key));
        const auto [known, is_new] = is_inside.try_emplace(one->like != 0 ? one->like : key);
        if (is_new) {
            BGT_TRY_ASSIGN(const auto base, described(known->first));
            BGT_TRY_ASSIGN(const TaskSpec spec, decode_spec(base->spec));
            known->second = spec.scopes.contains(boot, scope);
        }
        if (known->second) out.push_back({tasks.first, tasks.count});
    }
    return out;
}

} // namespace bgt::store
