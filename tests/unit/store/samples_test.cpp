// What real programs were seen to do (tests/hang/samples, recorded by tests/hang/run.py --record),
// and what must be said of it.
#include "support/catch.hpp"

#include <bgt/store/report.hpp>
#include <boost/json.hpp>

#include <filesystem>
#include <fstream>
#include <iterator>

using namespace bgt;

TEST_CASE("each recorded sample gets the verdict it had when the real program was judged rightly")
{
    const auto folder = std::filesystem::path(BGT_SOURCE_DIR "/tests/hang/samples");
    std::size_t samples = 0;
    for (const auto& entry : std::filesystem::directory_iterator(folder)) {
        if (entry.path().extension() != ".json") continue;
        ++samples;
        INFO(entry.path().filename().string());
        std::ifstream file(entry.path());
        const std::string text{std::istreambuf_iterator<char>(file), {}};
        const auto sample = boost::json::parse(text).as_object();
        const auto report = store::decode_report(boost::json::serialize(sample.at("report")));
        REQUIRE(report);
        const auto found = core::diagnose(report->evidence);
        INFO(found.sentence);
        CHECK(core::to_string(found.verdict) == std::string_view(sample.at("verdict").as_string()));
        for (const auto& word : sample.at("words").as_array())
            CHECK(found.sentence.find(std::string_view(word.as_string())) != std::string::npos);
    }
    CHECK(samples >= 20);
}
