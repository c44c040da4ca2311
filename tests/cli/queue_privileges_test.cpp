// A task of a queue has the privileges of whoever submitted it, not those of who dispatches.
#include "support/catch.hpp"
#include "support/lab.hpp"
#include "support/queue_lab.hpp"

#include <array>
#include <filesystem>
#include <grp.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <linux/securebits.h>
#include <sched.h>
#include <sys/prctl.h>
#include <unistd.h>

using namespace bgt::test;

namespace {

const std::string told = "grep -E '^(Groups|Gid|CapBnd|CapPrm|NoNewPrivs):' /proc/self/status; "
                         "setpriv --dump | grep Securebits";
const Words until_go{"submit", "-c", "until test -e go; do sleep 0.01; done"};

/// A filter that lets everything pass.
void add_filter()
{
    static sock_filter pass = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
    const sock_fprog program{1, &pass};
    ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
}

/// No process of the tests is in these.
void leave_network()
{
    if (::unshare(CLONE_NEWNET) != 0) ::_exit(99);
}

template <class InChild>
Ran submit(const Lab& lab, const Words& words, InChild in_child)
{
    Invocation call = lab.bgt(words);
    call.in_child = in_child;
    return run(call);
}

/// What a command without any bgt says under the same conditions.
template <class InChild>
std::string expected(const Lab& lab, InChild in_child)
{
    Invocation call = lab.program({"/bin/sh", "-c", told});
    call.in_child = in_child;
    return run(call).out;
}

} // namespace

TEST_CASE("a task has no privileges that its submitter did not have")
{
    const Lab lab;
    REQUIRE(lab({"queue", "set", "default", "slots=2"}).code == 0);
    const Ran first = submit(lab, {"submit", "-c", "until test -e go; do sleep 0.01; done"}, [] {});
    const std::string keeps =
        submitted(first); // it has a dispatcher with all that this process has
    const auto check = [&](auto in_child) {
        const std::string id = submitted(submit(lab, {"submit", "-c", told}, in_child));
        CHECK(lab.wait(id) == 0);
        CHECK(lab.log(id) == expected(lab, in_child));
    };
    check([] {});
    check([] { ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); });
    if (::geteuid() == 0) {
        check([] {
            const std::array<gid_t, 2> groups{4711, 4712};
            static_cast<void>(::setgroups(groups.size(), groups.data()));
        });
        check([] { static_cast<void>(::setgroups(0, nullptr)); });
        check([] { ::prctl(PR_CAPBSET_DROP, CAP_NET_RAW, 0, 0, 0); });
        check([] { static_cast<void>(::setgid(4711)); });
        check([] { ::prctl(PR_SET_SECUREBITS, SECBIT_NOROOT, 0, 0, 0); });
    }
    write_file(lab.work() + "/go", "");
    CHECK(lab.wait(keeps) == 0);
}

TEST_CASE("a dispatcher with fewer privileges gives way to a submitter that has them")
{
    const Lab lab;
    REQUIRE(lab({"queue", "set", "default", "slots=2"}).code == 0);
    const std::string first =
        submitted(submit(lab, {"submit", "-c", told + "; until test -e go; do sleep 0.01; done"},
                         [] { ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); }));
    CHECK(lab.logged(first, "NoNewPrivs:\t1\n"));
    const std::string next = submitted(submit(lab, {"submit", "-c", told}, [] {}));
    CHECK(lab.wait(next) == 0);
    CHECK(lab.log(next) == expected(lab, [] {}));
    write_file(lab.work() + "/go", "");
    CHECK(lab.wait(first) == 0);
}

TEST_CASE("what neither of two submitters could give the other is held, and that is said")
{
    if (::geteuid() != 0) return;
    const Lab lab;
    REQUIRE(lab({"queue", "set", "default", "slots=2"}).code == 0);
    const auto with_group = [](gid_t group) {
        return [group] {
            static_cast<void>(::setgroups(1, &group));
            ::prctl(PR_CAPBSET_DROP, CAP_SETGID, 0, 0, 0);
        };
    };
    const std::string first = submitted(
        submit(lab, {"submit", "-c", "until test -e go; do sleep 0.01; done"}, with_group(4711)));
    const std::string other = submitted(submit(lab, {"submit", "--", "true"}, with_group(4712)));
    const std::string same = submitted(submit(lab, {"submit", "--", "true"}, with_group(4711)));
    CHECK(lab.wait(same) == 0); // it is not kept waiting
    const auto why = [&] {
        Invocation call = lab.bgt({"why", other});
        call.in_child = with_group(4711);
        return run(call).out;
    };
    INFO(why());
    CHECK(why().find("it is held") != std::string::npos);
    CHECK(why().find("a supplementary group that is missing here") != std::string::npos);
    write_file(lab.work() + "/go", "");
    CHECK(lab.wait(first) == 0);
    CHECK(lab({"kill", other}).code == 0);
}

TEST_CASE("a primary group and securebits that nobody can give back are said")
{
    if (::geteuid() != 0) return;
    const Lab lab;
    REQUIRE(lab({"queue", "set", "default", "slots=3"}).code == 0);
    const auto bounded = [] {
        for (const int privilege : {CAP_SETGID, CAP_SETPCAP})
            ::prctl(PR_CAPBSET_DROP, privilege, 0, 0, 0);
    };
    const std::string first = submitted(submit(lab, until_go, bounded));
    const auto check = [&](auto in_child, const std::string& lack) {
        const std::string id = submitted(submit(lab, {"submit", "--", "true"}, [=] {
            in_child();
            bounded();
        }));
        Invocation call = lab.bgt({"why", id});
        call.in_child = bounded;
        const auto why = [&] { return run(call).out; };
        CHECK(eventually(test_timeout,
                         [&] { return why().find("it is held") != std::string::npos; }));
        CHECK(why().find(lack) != std::string::npos);
        CHECK(lab({"kill", id}).code == 0);
    };
    check([] { static_cast<void>(::setgid(4711)); }, "the primary group 4711 (here 0)");
    check([] { ::prctl(PR_SET_SECUREBITS, SECBIT_NOROOT, 0, 0, 0); }, "securebits 0x1 (here 0x0)");
    write_file(lab.work() + "/go", "");
    CHECK(lab.wait(first) == 0);
}

TEST_CASE(
    "a submission from other namespaces or under other filters than the dispatcher's is refused")
{
    if (::geteuid() != 0) return;
    const Lab lab;
    const auto refused_for = [&](auto in_child, const std::string& why) {
        for (const Words& words : {Words{"submit", "--", "true"},
                                   Words{"schedule", "add", "s", "--every", "1h", "--", "true"}}) {
            const Ran ran = submit(lab, words, in_child);
            INFO(ran);
            CHECK(ran.code == 125);
            CHECK(ran.err.find(why) != std::string::npos);
        }
    };
    const std::string first = submitted(lab(until_go));
    refused_for(leave_network, "another network namespace than the dispatcher's");
    refused_for([] { static_cast<void>(::unshare(CLONE_NEWNS)); },
                "another mount namespace than the dispatcher's");
    refused_for(add_filter, "filters of system calls (seccomp)");
    write_file(lab.work() + "/go", "");
    CHECK(lab.wait(first) == 0);
    CHECK(is_over(lab));
    // The same everywhere is fine, as in a container.
    std::filesystem::remove(lab.work() + "/go");
    const std::string filtered = submitted(submit(lab, until_go, add_filter));
    CHECK(submitted(submit(lab, {"submit", "--", "true"}, add_filter)) != filtered);
    refused_for([] {}, "filters of system calls (seccomp)");
    write_file(lab.work() + "/go", "");
    CHECK(lab.wait(filtered) == 0);
}

TEST_CASE("what waits is not started in other namespaces, and keeps others from waiting there")
{
    if (::geteuid() != 0) return;
    const Lab lab;
    const std::string next =
        submitted(lab({"submit", "--in", "1s", "-c", "readlink /proc/self/ns/net > net"}));
    kill_dispatchers(lab);
    const auto elsewhere = [&](const Words& words) { return submit(lab, words, leave_network); };
    const Ran other = elsewhere({"submit", "--", "true"});
    INFO(other);
    CHECK(other.code == 125);
    CHECK(other.err.find("another network namespace") != std::string::npos);
    const auto why = [&] { return elsewhere({"why", next}).out; }; // with a dispatcher, each time
    CHECK(eventually(test_timeout, [&] {
        return why().find("another network namespace than the dispatcher's") != std::string::npos;
    }));
    for (int i = 0; i < 3; ++i) elsewhere({"ps"});
    CHECK_FALSE(std::filesystem::exists(lab.work() + "/net"));
    CHECK(lab({"ps"}).code == 0); // puts a dispatcher in place
    CHECK(lab.wait(next) == 0);
    std::array<char, 64> own{};
    REQUIRE(::readlink("/proc/self/ns/net", own.data(), own.size() - 1) > 0);
    CHECK(read_file(lab.work() + "/net") == std::string(own.data()) + "\n");
}
