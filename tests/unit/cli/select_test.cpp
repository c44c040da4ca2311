#include "support/catch.hpp"

#include "cli/completion/completion.hpp"
#include <bgt/ops/select.hpp>
#include <cstdlib>
#include <filesystem>

using namespace bgt;
using namespace bgt::cli;
using namespace bgt::ops;
using store::TaskId;

namespace {

/// A root with tasks 1 "web" (living, tag job=a), 2 (ended, tag job=b), 3 "worker" (living).
struct Fixture {
    std::filesystem::path folder;
    store::Root root = make();

    Fixture()
    {
        add("web", core::Lifecycle::running, {{"job", "a"}});
        add("", core::Lifecycle::ended, {{"job", "b"}});
        add("worker", core::Lifecycle::running, {});
    }
    ~Fixture() { std::filesystem::remove_all(folder); }

    store::Root make()
    {
        char pattern[] = "/tmp/bgt-select-XXXXXX";
        REQUIRE(::mkdtemp(pattern) != nullptr);
        folder = pattern;
        auto opened = store::Root::open(folder / "root", store::Root::IfMissing::create);
        REQUIRE(opened);
        return *std::move(opened);
    }
    void add(const std::string& name, core::Lifecycle lifecycle,
             const std::map<std::string, std::string>& tags)
    {
        const auto id = root.allocate_id();
        REQUIRE(id);
        auto task = root.create_task(*id);
        REQUIRE(task);
        store::TaskSpec spec;
        spec.id = *id;
        spec.name = name;
        spec.tags = tags;
        spec.command = {"sleep", "9"};
        REQUIRE(store::write_spec(task->fd(), spec));
        store::Status status;
        status.lifecycle = lifecycle;
        status.name = name;
        status.command = "sleep 9";
        REQUIRE(store::StatusWriter::create(task->fd(), status));
        if (lifecycle != core::Lifecycle::ended) REQUIRE(root.mark_active(*id));
        if (!name.empty()) REQUIRE(root.claim_name(name, *id, [](TaskId) { return true; }));
    }
    std::vector<std::int64_t> ids(const Selection& selection, Scope scope)
    {
        const auto found = select(root, selection, scope);
        if (!found) FAIL(found.error().message);
        std::vector<std::int64_t> out;
        for (const auto id : *found) out.push_back(id.value);
        return out;
    }
    std::string wrong(const std::vector<std::string>& words)
    {
        const auto found = select(root, {words, false, {}, {}}, Scope::any);
        REQUIRE_FALSE(found);
        return found.error().message;
    }
};

using Ids = std::vector<std::int64_t>;

} // namespace

TEST_CASE_METHOD(Fixture, "tasks by id, name and -, each once, in the order named")
{
    CHECK(ids({{"3", "web", "worker", "1", "-"}, false, {}, {}}, Scope::living) == Ids{3, 1});
    CHECK(ids({{"2"}, false, {}, {}}, Scope::living) == Ids{2}); // named: whatever its state
}

TEST_CASE_METHOD(Fixture, "tasks by filter")
{
    CHECK(ids({{}, true, {}, {}}, Scope::living) == Ids{1, 3});
    CHECK(ids({{}, true, {}, {}}, Scope::any) == Ids{1, 2, 3});
    CHECK(ids({{}, false, {"w*"}, {}}, Scope::any) == Ids{1, 3});
    CHECK(ids({{}, false, {"web", "nobody"}, {}}, Scope::any) == Ids{1});
    CHECK(ids({{}, false, {}, {"job"}}, Scope::any) == Ids{1, 2});
    CHECK(ids({{}, false, {}, {"job=b"}}, Scope::any) == Ids{2});
    CHECK(ids({{}, false, {}, {"job=b"}}, Scope::living).empty());
    CHECK(ids({{}, true, {}, {"job=a"}}, Scope::any) == Ids{1});        // filters narrow --all
    CHECK(ids({{"1"}, false, {}, {"job=a"}}, Scope::living) == Ids{1}); // and words
    CHECK(ids({{"-"}, false, {}, {"job"}}, Scope::living) == Ids{2});
    CHECK(ids({{}, false, {}, {"job=a", "job=b"}}, Scope::any) == Ids{1, 2});
    CHECK(ids({{}, false, {"w*"}, {"job=a", "job=b"}}, Scope::any) == Ids{1});
    const auto other = select(root, {{"3"}, false, {}, {"job=a"}}, Scope::any);
    REQUIRE_FALSE(other);
    CHECK(other.error().message == "task 3 does not match --tag job=a");
}

TEST_CASE_METHOD(Fixture, "what is not there is told with near names")
{
    CHECK(wrong({"7"}) == "no such task 7 (bgt ps -a lists all)");
    CHECK(wrong({"wrker"}) == "no task named wrker (did you mean worker?)");
    CHECK(wrong({"xyzzy"}) == "no task named xyzzy (bgt ps -a lists all)");
    CHECK(wrong({"a/b"}) == "'a/b' is neither an id nor a name of a task");
    CHECK(wrong({""}) == "'' is neither an id nor a name of a task");
    CHECK(wrong({std::string(10'000, 'x')}).size() < 200);
    const auto nothing = select(root, {}, Scope::any);
    REQUIRE_FALSE(nothing);
    CHECK(nothing.error().kind == ErrorKind::usage);
}

TEST_CASE("a root that is not there has no task")
{
    auto root = store::Root::open("/tmp/bgt-no-such-root", store::Root::IfMissing::empty);
    REQUIRE(root);
    CHECK_FALSE(select(*root, {{"-"}, false, {}, {}}, Scope::any));
    CHECK_FALSE(select(*root, {{"1"}, false, {}, {}}, Scope::any));
    const auto all = select(*root, {{}, true, {}, {}}, Scope::living);
    REQUIRE(all);
    CHECK(all->empty());
}

TEST_CASE_METHOD(Fixture, "completion candidates: names before ids, the newest first")
{
    CHECK(candidates(root, Candidates::tasks) ==
          "worker\tsleep 9\nweb\tsleep 9\n3\tsleep 9\n2\tsleep 9\n1\tsleep 9\n");
    CHECK(candidates(root, Candidates::living) ==
          "worker\tsleep 9\nweb\tsleep 9\n3\tsleep 9\n1\tsleep 9\n");
    CHECK(candidates(root, Candidates::names) == "worker\tsleep 9\nweb\tsleep 9\n");
    CHECK(candidates(root, Candidates::tags) == "job=b\njob=a\n");
}
