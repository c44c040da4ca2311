#include <bgt/render/wait_json.hpp>

#include <bgt/base/text.hpp>
#include <bgt/render/json.hpp>

#include <boost/json.hpp>

namespace bgt::render {

namespace json = boost::json;

std::string wait_json(const std::vector<ops::Snapshot>& tasks, const ops::WaitRequest& request,
                      const ops::WaitAnswer& answer)
{
    using End = ops::WaitAnswer::End;
    const Moment now = Moment::now();
    json::array rows;
    for (const auto& task : tasks) rows.push_back(task_json(task, now));
    const char* const end = answer.end == End::met          ? "met"
                            : answer.end == End::impossible ? "impossible"
                            : answer.end == End::timed_out  ? "timed-out"
                                                            : "cancelled";
    const core::Condition& condition = request.conditions[answer.verdict.condition];
    json::object wait{{"end", end},
                      {"task", answer.tasks[answer.verdict.task].id.value},
                      {"condition", to_valid_utf8(condition.before)},
                      {"last_answer", answer.last_answer.empty()
                                          ? json::value(nullptr)
                                          : json::value(to_valid_utf8(answer.last_answer))},
                      {"not_ready", words_json(answer.not_ready)}};
    return answer_json({{"tasks", std::move(rows)}, {"wait", std::move(wait)}});
}

} // namespace bgt::render
