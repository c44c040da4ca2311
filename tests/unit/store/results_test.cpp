// results.jsonl: however much a task says of its results, the newest counts, and what has no room
// is counted.
#include "temp_folder.hpp"

#include <bgt/store/results.hpp>

#include <filesystem>

using namespace bgt;
using namespace bgt::store;
using namespace bgt::store::test;

namespace {

struct ResultsFile {
    TempFolder temp;
    Root root = open_root(temp / "root");
    TaskDir task = must(root.create_task(TaskId{1}));
    std::string path = task.path() + "/results.jsonl";
    ResultsWriter writer = must(ResultsWriter::open(task.fd()));

    TaskResults read() const { return must(read_results(task.fd())); }
};

std::string numbered(const std::string& what, int number)
{
    return what + std::to_string(number);
}

} // namespace

TEST_CASE("the newest value of a metric counts, however often it is told, and the file stays small")
{
    ResultsFile results;
    must(results.writer.summary({}, "first"));
    must(results.writer.artifact({}, "/p/report"));
    for (int i = 0; i <= 30'000; ++i) must(results.writer.metric({}, "loss", i));
    must(results.writer.summary({}, "last"));
    const TaskResults read = results.read();
    CHECK(read.metrics.at("loss") == 30'000);
    CHECK(read.summary == "last");
    REQUIRE(read.artifacts.size() == 1);
    CHECK(read.artifacts[0].path == "/p/report");
    CHECK(read.dropped == 0);
    CHECK(read.unread_bytes == 0);
    CHECK(std::filesystem::file_size(results.path) <= 1u << 20);
}

TEST_CASE("metrics and artefacts for which there is no room are counted, by another writer too")
{
    ResultsFile results;
    for (int i = 0; i < 1200; ++i) {
        must(results.writer.metric({}, numbered("m", i), i));
        must(results.writer.artifact({}, numbered("/p/", i)));
    }
    CHECK(results.read().metrics.size() == max_results);
    CHECK(results.read().artifacts.size() == max_results);
    CHECK(results.read().dropped == 400);
    ResultsWriter next = must(ResultsWriter::open(results.task.fd()));
    must(next.metric({}, "m1199", 1));
    must(next.metric({}, "m5", 7)); // one that has its place
    CHECK(results.read().dropped == 401);
    CHECK(results.read().metrics.at("m5") == 7);
}

TEST_CASE("artefacts with long names have 512 KiB, and what becomes of them has its room besides")
{
    ResultsFile results;
    const std::string folder = "/" + std::string(4000, 'x') + "/";
    for (int i = 0; i < 300; ++i) must(results.writer.artifact({}, numbered(folder, i)));
    const TaskResults before = results.read();
    CHECK(before.artifacts.size() > 100);
    CHECK(before.artifacts.size() + before.dropped == 300);
    for (Artifact artifact : before.artifacts) {
        artifact.bytes = 5;
        must(results.writer.checked({}, artifact));
    }
    const TaskResults after = results.read();
    CHECK(after.unread_bytes == 0);
    CHECK(after.dropped == before.dropped);
    REQUIRE(after.artifacts.size() == before.artifacts.size());
    for (const Artifact& artifact : after.artifacts) CHECK(artifact.bytes == 5u);
}

TEST_CASE("of a file that is too large it is said how much was not read")
{
    ResultsFile results;
    const std::string line = R"({"at":"2026-01-31T12:00:00Z","event":"summary","text":"x"})"
                             "\n";
    std::string text;
    while (text.size() < (5u << 20)) text += line;
    put(results.path, text);
    const TaskResults read = results.read();
    CHECK(read.summary == "x");
    CHECK(read.damaged_lines == 0);
    CHECK(read.unread_bytes + (4u << 20) >= text.size());
}
