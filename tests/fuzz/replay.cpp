// Runs the corpus of each target through it: what was found once is looked for in every build.
// usage: fuzz_corpus FOLDER [KIB]     FOLDER/<target>/* are the inputs; the last line is "N passed,
// N failed" With KIB each input is repeated until it is that long, which shows what gets slow with
// long inputs: 1024 is a good number. What fails, or takes longer than `test_timeout`, is named on
// stderr.
#include "targets.hpp" // made by CMake: every function with its name

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <sys/wait.h>
#include <unistd.h>
#include <vector>

namespace {

namespace fs = std::filesystem;

constexpr unsigned test_timeout = 20; ///< seconds for one input, far more than any takes

std::string contents(const fs::path& path)
{
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

std::string grown(const std::string& text, std::size_t size)
{
    std::string out = text;
    while (!text.empty() && out.size() < size) out += text;
    return out;
}

/// In a child: takes the inputs one after the other, and says by a byte that one went well.
[[noreturn]] void run_inputs(const Target& target, const std::vector<fs::path>& inputs,
                             std::size_t from, std::size_t size, int answer)
{
    for (std::size_t i = from; i < inputs.size(); ++i) {
        ::alarm(test_timeout);
        const std::string text = grown(contents(inputs[i]), size);
        try {
            target.run(reinterpret_cast<const std::uint8_t*>(text.data()), text.size());
        } catch (const std::exception& problem) {
            std::fprintf(stderr, "%s\n", problem.what());
            std::exit(1);
        }
        if (::write(answer, "+", 1) != 1) std::exit(1);
    }
    std::exit(0);
}

/// How many of the inputs from that one on go well one after the other.
std::size_t count_good(const Target& target, const std::vector<fs::path>& inputs, std::size_t from,
                       std::size_t size)
{
    std::array<int, 2> ends{};
    if (::pipe(ends.data()) != 0) return 0;
    const pid_t child = ::fork();
    if (child == 0) {
        ::close(ends[0]);
        run_inputs(target, inputs, from, size, ends[1]);
    }
    ::close(ends[1]);
    std::size_t good = 0;
    for (char c = 0; ::read(ends[0], &c, 1) == 1;) ++good;
    ::close(ends[0]);
    int status = 0;
    if (child > 0) ::waitpid(child, &status, 0);
    const bool all = good == inputs.size() - from;
    if (all && status != 0)
        std::fprintf(stderr, "%s: its process failed at its end\n", target.name); // leaks
    return all && status != 0 ? good - 1 : good;
}

} // namespace

int main(int argc, char** argv)
{
    if (argc < 2) return std::fputs("usage: fuzz_corpus FOLDER [KIB]\n", stderr), 2;
    const std::size_t size = argc > 2 ? std::strtoul(argv[2], nullptr, 10) * 1024 : 0;
    std::size_t passed = 0, failed = 0;
    for (const Target& target : targets) {
        std::vector<fs::path> inputs;
        std::error_code none;
        for (const auto& entry : fs::directory_iterator(fs::path(argv[1]) / target.name, none))
            inputs.push_back(entry.path());
        std::sort(inputs.begin(), inputs.end());
        if (inputs.empty()) {
            std::fprintf(stderr, "failed: %s: there is no input\n", target.name);
            ++failed;
        }
        for (std::size_t next = 0; next < inputs.size(); ++next) {
            const std::size_t good = count_good(target, inputs, next, size);
            passed += good;
            next += good;
            if (next >= inputs.size()) break;
            std::fprintf(stderr, "failed: %s\n", inputs[next].c_str());
            ++failed;
        }
    }
    std::printf("%zu passed, %zu failed\n", passed, failed);
    return failed == 0 && passed > 0 ? 0 : 1;
}
