#include "handlers.hpp"

#include <bgt/ops/await_output.hpp>
#include <bgt/ops/log_view.hpp>
#include <bgt/ops/only_task.hpp>
#include <bgt/os/clock.hpp>
#include <bgt/render/json_text.hpp>

#include <algorithm>
#include <boost/json.hpp>

namespace bgt::serve {

namespace {

namespace json = boost::json;

constexpr std::uint64_t default_tail = 64 * 1024;
constexpr std::uint64_t piece_bytes = 256 * 1024;
constexpr std::chrono::hours one_sleep(1);
/// Between two pieces of a task that lives, at least, and so many times as long as it took to read
/// one: where the CPU is short, watchers leave it to the task.
constexpr std::chrono::milliseconds between_pieces(50);
constexpr int pause_factor = 20;
constexpr std::chrono::seconds max_pause(3);

class LogStream {
public:
    LogStream(store::Root& root, store::TaskId id, Wire& wire) : root_(root), id_(id), wire_(wire)
    {}

    /// Where to begin, by the route and by what an earlier connection has given out. Error: no such
    /// task; a place that is none.
    Result<void> begin(const Route& route, std::string_view last_id)
    {
        ops::LogOptions options;
        BGT_TRY_ASSIGN(const ops::LogView view, ops::LogView::open(root_, id_, options));
        const std::uint64_t size = view.log_size();
        ended_ = view.task().over();
        const auto number = [&](std::string_view text) { return number_of(text, size); };
        const auto from = route.query.find("from"), tail = route.query.find("tail");
        if (!last_id.empty() || from != route.query.end()) {
            const auto at = number(last_id.empty() ? std::string_view(from->second) : last_id);
            if (!at)
                return Error::usage("the log has no such place: it ends at " +
                                    std::to_string(size));
            cursor_ = *at;
            return {};
        }
        std::uint64_t bytes = default_tail;
        if (tail != route.query.end()) {
            const auto asked = number_of(tail->second, 1ull << 40);
            if (!asked) return Error::usage("tail: expected a number of bytes");
            bytes = *asked;
        }
        cursor_ = size - std::min(size, bytes);
        return {};
    }

    void run()
    {
        while (!over_) {
            const auto sent = send_piece();
            if (!sent || !*sent) return;
            if (!over_ && !sleep()) return;
        }
        send_end();
    }

private:
    /// False: nobody reads it any more.
    Result<bool> send_piece()
    {
        const Instant begun = os::now();
        ops::LogOptions options;
        options.cursor = cursor_;
        options.max_bytes = piece_bytes;
        ops::Selection selection;
        selection.words = {to_string(id_)};
        BGT_TRY_ASSIGN(auto read, ops::read_log(root_, selection, options));
        BGT_TRY_ASSIGN(const ops::LogPiece piece, ops::only_task(std::move(read), id_));
        more_ = piece.cursor - cursor_ >= piece_bytes / 2;
        cursor_ = piece.cursor;
        over_ = piece.end_of_log;
        pause_ =
            std::clamp<Duration>((os::now() - begun) * pause_factor, between_pieces, max_pause);
        if (piece.text.empty() && piece.dropped_bytes == 0) return true;
        json::object data{{"start", piece.start}, {"text", piece.text}};
        if (piece.dropped_bytes > 0) data["skipped"] = piece.dropped_bytes;
        return wire_.write(event_text("output", std::to_string(cursor_), render::json_text(data)));
    }

    /// Until there may be more. False: the client has gone, or the task.
    bool sleep()
    {
        if (more_ && ended_) return true;
        const Instant next = os::now() + (more_ ? pause_ : Duration(between_pieces));
        const ops::Cancel cancel{wire_.fd()};
        if (!more_) {
            const auto awaited = ops::await_output(root_, {id_, cursor_, one_sleep}, cancel);
            if (!awaited) return false;
        }
        while (os::now() < next)
            if (!wire_.read(next).empty() || cancel.requested()) return false;
        return true;
    }

    void send_end()
    {
        const auto task = ops::recover_and_inspect(root_, id_, shown_fields);
        if (!task) return;
        const std::string data = render::json_text(shown_task(*task));
        (void)wire_.write(event_text("end", std::to_string(cursor_), data));
    }

    store::Root& root_;
    store::TaskId id_;
    Wire& wire_;
    std::uint64_t cursor_ = 0;
    Duration pause_ = between_pieces;
    bool more_ = false, over_ = false, ended_ = false;
};

} // namespace

void stream_log(const Server& server, const Route& route, const Request& request, Wire& wire)
{
    const auto refuse = [&](const Error& error) {
        (void)wire.write(to_bytes(problem(error), false));
    };
    auto root = store::Root::open(server.root, store::Root::IfMissing::empty);
    if (!root) return refuse(root.error());
    LogStream stream(*root, route.id, wire);
    if (const auto begun = stream.begin(route, request.header("last-event-id")); !begun)
        return refuse(begun.error());
    if (wire.write(stream_head())) stream.run();
}

} // namespace bgt::serve
