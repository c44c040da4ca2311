#include <bgt/serve/server.hpp>

#include <bgt/base/descriptor.hpp>
#include <bgt/os/background.hpp>

#include <algorithm>
#include <unistd.h>

namespace bgt::serve {

Result<void> open_page(const Server& server)
{
    const auto page = std::ranges::find_if(
        server.listeners, [](const Listener& one) { return one.socket_path.empty(); });
    if (page == server.listeners.end())
        return Error::usage("--open: browsers need an address like 127.0.0.1:0 in --listen");
    const std::string url = page->address + "/#code=" + server.invitation.code;
    BGT_TRY_ASSIGN(Pipe failed, make_pipe("a pipe")); // it closes when the browser is executed
    const int told = failed.writer.get();
    const auto forked = os::fork_helper({told}, true, [&] {
        ::execlp("xdg-open", "xdg-open", url.c_str(), nullptr);
        write_packet(told, "1");
        return 1;
    });
    if (!forked) return forked.error();
    failed.writer.reset();
    if (!read_packet(failed.reader.get()).empty())
        return Error::failed("--open: xdg-open can't be executed; open the URL yourself");
    return {};
}

} // namespace bgt::serve
