#pragma once
/// The answers of --json (docs/schema.json). Every field is always there, null where not known;
/// every text is valid UTF-8 (bytes that are not become U+FFFD); times are RFC 3339 in UTC.
#include <bgt/ops/log_piece.hpp>
#include <bgt/render/task_fields.hpp>
#include <bgt/render/words.hpp>
#include <bgt/store/events.hpp>
#include <boost/json/fwd.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace bgt::render {

/// One task. `state` is the word of `bgt ps`, `exit` the exit code of a task that is over (128 and
/// the number of the signal), `last_line` needs log_tail. tags, command and cwd are null unless the
/// snapshot has its spec; processes, cpu, rss_bytes and ports of a running task unless its usage
/// was looked at (ask for `ports` together with `usage`). Of a damaged one only id, folder and
/// problem are known.
boost::json::object task_json(const ops::Snapshot&, const Moment& now = Moment::now());
boost::json::array words_json(const std::vector<std::string>& words);
/// {"at":"...","event":"started","pid":4211}
boost::json::object event_json(const store::TaskEvent&);
/// Of each event attempt-ended what it tells, with `ended_at`.
boost::json::array attempts_json(const std::vector<store::TaskEvent>& attempts);

/// {"schema":1,"tasks":[...]} and a newline.
std::string tasks_json(const std::vector<ops::Snapshot>&, const Moment& now = Moment::now(),
                       const TaskFields& = {});
/// {"schema":1,"logs":[...]} and a newline.
std::string logs_json(const std::vector<ops::LogPiece>&);
/// What went wrong with a call, or with one of its tasks.
struct AnswerError {
    std::string message;
    int code = 0;            ///< the exit code
    store::TaskId task = {}; ///< 0: none alone
};
/// {"schema":1,"error":{"message":"...","code":125}} and a newline.
std::string error_json(std::string_view message, int code);
/// The same with `errors`, what went wrong besides.
std::string error_json(const AnswerError&, const std::vector<AnswerError>& others);
/// An answer of answer_json() with the member `errors` at its end.
std::string with_errors(std::string answer, const std::vector<AnswerError>&);
/// {"schema":1} with the members of `answer` after it, and a newline. DEL and the controls U+0080
/// to U+009F are escaped, too (JSON allows them as they are): to a terminal that shows the answer
/// they may be commands.
std::string answer_json(boost::json::object answer);

} // namespace bgt::render
