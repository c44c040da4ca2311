// The pieces of a gathering, each with a time of its own. Another process looks and tells what it
// has seen, piece by piece: where it gets stuck in the kernel, as those that it looks at are, it is
// left there, and the next one goes on behind that piece.
#include "evidence.hpp"

#include <bgt/base/descriptor.hpp>
#include <bgt/os/clock.hpp>

#include <algorithm>
#include <array>
#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <fmt/format.h>
#include <functional>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

namespace bgt::os {

namespace {

using detail::Gathering;

constexpr auto usual_limit = std::chrono::milliseconds(150);
constexpr auto disk_limit = std::chrono::milliseconds(300);
constexpr auto stacks_limit = std::chrono::milliseconds(600);
constexpr std::size_t max_workers = 4;
constexpr std::uint64_t max_message = 8u << 20;

struct Piece {
    std::string name;
    std::function<void(Gathering&)> look;
    bool whole = true; ///< tells all that is known then, not only the processes that it adds
    Duration limit = usual_limit;
};

std::vector<Piece> pieces_of(const GatherRequest& request)
{
    std::vector<Piece> pieces;
    const std::size_t count = std::min(request.members.size(), core::max_processes_shown);
    for (std::size_t at = 0; at < count; ++at)
        pieces.push_back({fmt::format("process {}", request.members[at].key.pid),
                          [at](Gathering& gathering) { detail::gather_process(gathering, at); },
                          false, usual_limit});
    // First what passes quickest; each part leaves out what it has no time for.
    pieces.push_back({"children", detail::gather_children});
    pieces.push_back(
        {"output",
         [](Gathering& gathering) { gathering.request.store.add_output(gathering.found); }, true,
         disk_limit});
    pieces.push_back({"sockets", detail::gather_sockets});
    pieces.push_back({"both ends of pipes", detail::gather_ends});
    pieces.push_back({"locks", detail::gather_locks});
    pieces.push_back({"machine", detail::gather_machine});
    pieces.push_back({"pipes of other processes", detail::gather_outer_ends, true, disk_limit});
    pieces.push_back({"peers", detail::gather_peers});
    if (request.dump_stacks)
        pieces.push_back({"stack dumps", detail::ask_for_stacks, true, stacks_limit});
    else if (request.ask_java)
        pieces.push_back({"locks of Java", detail::ask_about_locks, true, stacks_limit});
    return pieces;
}

struct Header {
    std::uint64_t piece = 0;
    std::uint64_t bytes = 0;
};

void show(Gathering& gathering)
{
    gathering.shown.clear();
    for (const auto& process : gathering.found.processes) {
        gathering.shown.insert(process.pid);
        gathering.inside.insert(process.pid);
    }
}

/// In the process that looks.
void work(Gathering& gathering, const std::vector<Piece>& pieces, std::size_t next, int out)
{
    for (; next < pieces.size(); ++next) {
        const std::size_t known = gathering.found.processes.size();
        pieces[next].look(gathering);
        show(gathering);
        core::Report told;
        const auto& processes = gathering.found.processes;
        if (pieces[next].whole) told.evidence = gathering.found;
        else
            told.evidence.processes.assign(processes.begin() + static_cast<std::ptrdiff_t>(known),
                                           processes.end());
        const std::string text = gathering.request.store.encode(told);
        const Header header{next, text.size()};
        std::array<char, sizeof header> head;
        std::memcpy(head.data(), &header, sizeof header);
        if (write_all(out, {head.data(), head.size()}) != 0 || write_all(out, text) != 0) return;
    }
}

/// What one worker tells.
class Listener {
public:
    Listener(Gathering& gathering, const std::vector<Piece>& pieces, std::size_t next)
        : gathering_(gathering), pieces_(pieces), next_(next)
    {}

    std::size_t next() const { return next_; }

    /// False: it will tell nothing more.
    bool take(int fd)
    {
        std::array<char, 64 * 1024> buffer;
        const ssize_t got =
            retry_on_eintr([&] { return ::read(fd, buffer.data(), buffer.size()); });
        if (got <= 0) return false;
        text_.append(buffer.data(), static_cast<std::size_t>(got));
        Header header;
        while (text_.size() >= sizeof header) {
            std::memcpy(&header, text_.data(), sizeof header);
            if (header.bytes > max_message || header.piece != next_) return false;
            if (text_.size() < sizeof header + header.bytes) return true;
            merge(std::string_view(text_).substr(sizeof header, header.bytes));
            text_.erase(0, sizeof header + header.bytes);
            ++next_;
        }
        return true;
    }

private:
    void merge(std::string_view text)
    {
        auto report = gathering_.request.store.decode(text);
        if (!report) return;
        auto& found = gathering_.found;
        auto& told = report->evidence;
        if (pieces_[next_].whole) {
            told.at = found.at;
            found = std::move(told);
        } else {
            for (auto& process : told.processes) found.processes.push_back(std::move(process));
        }
        show(gathering_);
    }

    Gathering& gathering_;
    const std::vector<Piece>& pieces_;
    std::size_t next_;
    std::string text_;
};

/// It waits for a core, and for nothing else.
bool is_starved(const Gathering& gathering, pid_t worker)
{
    const auto stat = gathering.proc.stat(worker);
    return stat && stat->state == 'R';
}

void end_worker(pid_t worker)
{
    constexpr auto pause = std::chrono::milliseconds(1);
    constexpr int looks = 5;
    ::kill(worker, SIGKILL);
    for (int look = 0; look < looks && ::waitpid(worker, nullptr, WNOHANG) == 0; ++look)
        std::this_thread::sleep_for(pause);
}

/// Lets another process look at the pieces from `next` on. The place of the first that is still to
/// be looked at.
std::size_t run_worker(Gathering& gathering, const std::vector<Piece>& pieces, std::size_t next)
{
    Result<Pipe> ends = make_pipe("a pipe for the evidence");
    if (!ends) return pieces.size();
    const pid_t worker = ::fork();
    if (worker == 0) {
        ::prctl(PR_SET_PDEATHSIG, SIGKILL);
        work(gathering, pieces, next, ends->writer.get());
        ::_exit(0);
    }
    if (worker < 0) return pieces.size();
    ends->writer.reset();
    Listener listener(gathering, pieces, next);
    Instant piece_end = now() + pieces[next].limit;
    for (bool open = true; open && listener.next() < pieces.size() && now() < gathering.end;) {
        const Instant until = std::min(piece_end, gathering.end);
        const auto left =
            std::chrono::ceil<std::chrono::milliseconds>(std::max(until - now(), Duration::zero()));
        pollfd polled{ends->reader.get(), POLLIN, 0};
        const std::size_t before = listener.next();
        if (::poll(&polled, 1, static_cast<int>(left.count())) > 0)
            open = listener.take(ends->reader.get());
        else if (now() >= piece_end && !is_starved(gathering, worker)) break;
        else if (now() < piece_end) continue;
        if (listener.next() != before || now() >= piece_end)
            piece_end = now() + pieces[std::min(listener.next(), pieces.size() - 1)].limit;
    }
    end_worker(worker);
    if (listener.next() < pieces.size()) {
        gathering.found.complete = false;
        gathering.found.unseen.push_back(pieces[listener.next()].name);
    }
    return listener.next() + 1;
}

} // namespace

core::Evidence gather(const GatherRequest& request)
{
    Gathering gathering(request);
    gathering.found.at = wall_now();
    if (request.members.size() > core::max_processes_shown)
        gathering.found.more_processes =
            static_cast<std::uint32_t>(request.members.size() - core::max_processes_shown);
    const auto pieces = pieces_of(request);
    std::size_t next = 0;
    for (std::size_t workers = 0;
         next < pieces.size() && workers < max_workers && now() < gathering.end; ++workers)
        next = run_worker(gathering, pieces, next);
    if (next < pieces.size()) gathering.found.complete = false;
    for (; next < pieces.size(); ++next) {
        if (!pieces[next].whole) ++gathering.found.more_processes;
        else gathering.found.unseen.push_back(pieces[next].name);
    }
    for (auto& socket : gathering.found.sockets) // a link, until its holder is found
        if (socket.peer_pid == 0) socket.peer_comm.clear();
    return std::move(gathering.found);
}

} // namespace bgt::os
