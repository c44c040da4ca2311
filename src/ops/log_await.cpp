#include <bgt/ops/await_output.hpp>
#include <bgt/ops/log_view.hpp>
#include <bgt/ops/only_task.hpp>
#include <bgt/os/clock.hpp>

#include <algorithm>

namespace bgt::ops {

Result<LogPiece> await_log(store::Root& root, const Selection& selection, LogOptions options,
                           Duration timeout, Cancel cancel)
{
    const Instant deadline = os::now() + timeout;
    BGT_TRY_ASSIGN(const auto ids, select(root, selection, Scope::any));
    if (ids.size() != 1)
        return Error::usage("only the log of one task can be waited for: name one");
    Selection one;
    one.words = {to_string(ids.front())};
    std::uint64_t dropped = 0;
    for (;;) {
        BGT_TRY_ASSIGN(auto read, read_log(root, one, options));
        BGT_TRY_ASSIGN(LogPiece piece, only_task(std::move(read), ids.front()));
        piece.dropped_bytes += dropped;
        const Duration left = deadline - os::now();
        if (!piece.text.empty() || piece.end_of_log || left <= Duration::zero()) return piece;
        dropped = piece.dropped_bytes;
        const bool has_moved = !options.newest && piece.cursor > options.cursor.value_or(0);
        options.cursor = piece.cursor;
        options.newest = false;
        if (has_moved) continue;
        AwaitOutputRequest more{ids.front(), std::max(piece.log_size, piece.cursor), left};
        more.stream = options.stream;
        BGT_TRY(await_output(root, more, cancel));
    }
}

} // namespace bgt::ops
