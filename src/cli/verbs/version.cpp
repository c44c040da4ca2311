#include <bgt/cli/verb.hpp>
#include <bgt/render/json.hpp>
#include <boost/json.hpp>
#include <boost/version.hpp>
#include <fmt/core.h>

namespace bgt::cli {

namespace {

class Version final : public Verb {
public:
    void declare(Parser& parser) override
    {
        parser.flag("--json", json_, "print the answer as JSON");
        parser.example("bgt version --json");
    }
    int run(Context&) override;

private:
    bool json_ = false;
};

std::string three_numbers(int major, int minor, int patch)
{
    return std::to_string(major) + "." + std::to_string(minor) + "." + std::to_string(patch);
}

int Version::run(Context& context)
{
    const std::string boost =
        three_numbers(BOOST_VERSION / 100000, BOOST_VERSION / 100 % 1000, BOOST_VERSION % 100);
    const std::string fmt =
        three_numbers(FMT_VERSION / 10000, FMT_VERSION / 100 % 100, FMT_VERSION % 100);
    if (json_) {
        context.print(render::answer_json({{"version", BGT_VERSION},
                                           {"compiler", "g++ " __VERSION__},
                                           {"boost", boost},
                                           {"fmt", fmt}}));
        return code::ok;
    }
    context.print("bgt " BGT_VERSION "\ncompiler  g++ " __VERSION__ "\nboost     " + boost +
                  "\nfmt       " + fmt + "\n");
    return code::ok;
}

} // namespace

std::unique_ptr<Verb> make_version()
{
    return std::make_unique<Version>();
}

} // namespace bgt::cli
