#include "support/queue_lab.hpp"

#include "support/catch.hpp"
#include "support/eventually.hpp"

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <sstream>

namespace bgt::test {

std::string submitted(const Ran& ran)
{
    INFO(ran);
    REQUIRE(ran.code == 0);
    return ran.out.substr(0, ran.out.find('\n'));
}

std::string submit_one(const Lab& lab, Words words)
{
    words.insert(words.begin(), "submit");
    const Ran ran = lab(words);
    std::string id = submitted(ran);
    CHECK(ran.out == id + "\n");
    return id;
}

bool is_over(const Lab& lab)
{
    return eventually(test_timeout,
                      [&] { return !std::filesystem::exists(lab.root() + "/queue/journal"); });
}

std::string refused(const Lab& lab, const Words& words)
{
    const Ran ran = lab(words);
    INFO(ran);
    CHECK(ran.code == 125);
    CHECK(std::ranges::count(ran.err, '\n') == 1);
    return ran.err;
}

pid_t dispatcher_of(const Lab& lab)
{
    const std::string lock = lab.root() + "/queue/dispatcher.lock";
    REQUIRE(eventually(test_timeout, [&] { return !read_file(lock).empty(); }));
    return std::stoi(read_file(lock));
}

pid_t stop_dispatcher(const Lab& lab)
{
    const pid_t dispatcher = dispatcher_of(lab);
    REQUIRE(eventually(test_timeout, [&] { return state_of(dispatcher) == 'S'; }));
    REQUIRE(::kill(dispatcher, SIGSTOP) == 0);
    REQUIRE(eventually(test_timeout, [&] { return state_of(dispatcher) == 'T'; }));
    return dispatcher;
}

void kill_dispatchers(const Lab& lab)
{
    REQUIRE(eventually(test_timeout, [&] {
        const auto all = find_marked(lab.root() + "/queue");
        for (const pid_t process : all) ::kill(process, SIGKILL);
        return all.empty();
    }));
}

long sleeps_of(pid_t pid)
{
    std::istringstream lines(read_file("/proc/" + std::to_string(pid) + "/status"));
    for (std::string line; std::getline(lines, line);)
        if (line.starts_with("voluntary_ctxt_switches:")) return std::stol(line.substr(24));
    return -1;
}

} // namespace bgt::test
