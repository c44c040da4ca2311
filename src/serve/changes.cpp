#include "changes.hpp"

#include <bgt/os/clock.hpp>
#include <bgt/os/tcp_peer.hpp>
#include <bgt/serve/gate.hpp>
#include <bgt/store/root_events.hpp>
#include <bgt/store/status.hpp>

#include <boost/json.hpp>
#include <fmt/format.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

namespace bgt::serve {

namespace {

namespace json = boost::json;

void add_id(std::vector<store::TaskId>& ids, const json::object& from)
{
    const json::value* id = from.if_contains("id");
    if (id != nullptr && id->is_int64()) ids.push_back(store::TaskId{id->get_int64()});
}

std::vector<store::TaskId> tasks_in(const json::object& answer)
{
    std::vector<store::TaskId> ids;
    add_id(ids, answer);
    const json::value* rows = answer.if_contains("tasks");
    if (rows == nullptr || !rows->is_array()) return ids;
    for (const json::value& row : rows->get_array())
        if (const auto* task = row.if_object()) add_id(ids, *task);
    return ids;
}

} // namespace

std::string peer_words(int connection)
{
    sockaddr_storage address{};
    socklen_t size = sizeof address;
    if (::getpeername(connection, reinterpret_cast<sockaddr*>(&address), &size) != 0)
        return "unknown";
    char text[INET6_ADDRSTRLEN] = {};
    std::string where;
    if (address.ss_family == AF_INET) {
        const auto& in = reinterpret_cast<const sockaddr_in&>(address);
        ::inet_ntop(AF_INET, &in.sin_addr, text, sizeof text);
        where = fmt::format("{}:{}", text, ntohs(in.sin_port));
    } else if (address.ss_family == AF_INET6) {
        const auto& in = reinterpret_cast<const sockaddr_in6&>(address);
        ::inet_ntop(AF_INET6, &in.sin6_addr, text, sizeof text);
        where = fmt::format("[{}]:{}", text, ntohs(in.sin6_port));
    } else {
        ucred peer{};
        socklen_t length = sizeof peer;
        if (::getsockopt(connection, SOL_SOCKET, SO_PEERCRED, &peer, &length) != 0)
            return "unix socket";
        return fmt::format("unix socket, pid {} (user {})", peer.pid, peer.uid);
    }
    const auto user = os::tcp_peer_user(connection);
    return user ? fmt::format("{} (user {})", where, *user) : where;
}

void tell_change(const store::Root& root, const api::Operation& operation,
                 const json::object& answer, api::Access access, int connection)
{
    if (operation.access == api::Access::read) return;
    store::EventWriter events(root.fd());
    store::RootEvent event;
    event.at = os::wall_now();
    event.type = "http";
    event.data = {{"operation", std::string(operation.name)},
                  {"peer", peer_words(connection)},
                  {"scope", std::string(scope_word(access))}};
    std::vector<store::TaskId> ids = tasks_in(answer);
    if (ids.empty()) ids.emplace_back();
    for (const store::TaskId id : ids) {
        event.task = id;
        const auto status = store::read_status_at(root.fd(), id);
        event.name = id.value > 0 && status ? status->name : std::string();
        static_cast<void>(events.append(event)); // the answer does not depend on it
    }
}

} // namespace bgt::serve
