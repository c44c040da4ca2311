#include <bgt/render/wait_json.hpp>

#include <bgt/base/text.hpp>
#include <bgt/render/json.hpp>

#include <boost/json.hpp>

namespace bgt::render {

namespace json = boost::json;

namespace {

const char* word_of(ops::WaitAnswer::End end)
{
    using End = ops::WaitAnswer::End;
    switch (end) {
    case End::met: return "met";
    case End::impossible: return "impossible";
    case End::timed_out: return "timed-out";
    case End::cancelled: break;
    }
    return "cancelled";
}

json::object told_json(const char* end, const WaitTold& told)
{
    json::object out{{"end", end}, {"code", told.code}, {"reason", to_valid_utf8(told.reason)}};
    if (told.tail) out["tail"] = to_valid_utf8(*told.tail);
    return out;
}

std::string with_tasks(const std::vector<ops::Snapshot>& tasks, json::object wait,
                       const TaskFields& fields)
{
    const Moment now = Moment::now();
    json::array rows;
    for (const auto& task : tasks) rows.push_back(chosen_task_json(task, now, fields, {}));
    return answer_json({{"tasks", std::move(rows)}, {"wait", std::move(wait)}});
}

} // namespace

std::string wait_json(const std::vector<ops::Snapshot>& tasks, const ops::WaitRequest& request,
                      const ops::WaitAnswer& answer, const WaitTold& told, const TaskFields& fields)
{
    json::object wait = told_json(word_of(answer.end), told);
    wait["task"] = answer.tasks[answer.verdict.task].id.value;
    wait["condition"] = to_valid_utf8(request.conditions[answer.verdict.condition].before);
    wait["last_answer"] = answer.last_answer.empty()
                              ? json::value(nullptr)
                              : json::value(to_valid_utf8(answer.last_answer));
    wait["not_ready"] = words_json(answer.not_ready);
    return with_tasks(tasks, std::move(wait), fields);
}

std::string end_wait_json(const std::vector<ops::Snapshot>& tasks, bool has_ended,
                          const WaitTold& told, const TaskFields& fields)
{
    return with_tasks(tasks, told_json(has_ended ? "met" : "timed-out", told), fields);
}

} // namespace bgt::render
