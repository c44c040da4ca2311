// A task of a queue has the privileges of whoever submitted it, not those of who dispatches.
#include "support/catch.hpp"
#include "support/lab.hpp"
#include "support/queue_lab.hpp"

#include <array>
#include <filesystem>
#include <grp.h>
#include <linux/capability.h>
#include <sys/prctl.h>
#include <unistd.h>

using namespace bgt::test;

namespace {

const std::string told = "grep -E '^(Groups|CapBnd|CapPrm|NoNewPrivs):' /proc/self/status";

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
