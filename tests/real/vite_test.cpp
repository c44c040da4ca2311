// The main job: a dev server that npm starts, waited for, read, ended, and nothing left of it.
#include "support/catch.hpp"
#include "support/lab.hpp"
#include "support/skip.hpp"

using namespace bgt::test;

namespace fs = std::filesystem;

namespace {

/// The project, with vite installed from the registry; made once a build folder. Not empty: why it
/// could not be had.
std::string make_project(const std::string& folder)
{
    fs::create_directories(folder);
    write_file(
        folder + "/package.json",
        R"({"name":"web","private":true,"version":"0.0.0","type":"module","scripts":{"dev":"vite"},"devDependencies":{"vite":"^5"}})");
    write_file(
        folder + "/index.html",
        "<!doctype html><title>web</title><script type=\"module\" src=\"/main.js\"></script>\n");
    write_file(folder + "/main.js", "document.title = 'ready'\n");
    write_file(folder + "/vite.config.js", "export default { server: { host: '127.0.0.1', port: "
                                           "Number(process.env.PORT), strictPort: true } }\n");
    if (fs::exists(folder + "/installed")) return {};
    const Ran ran = run({{"npm", "install", "--no-audit", "--no-fund"},
                         caller_environment(),
                         folder,
                         std::nullopt,
                         {}},
                        120s);
    if (!ran.in_time) return "npm install took more than 120 s";
    if (ran.code != 0) return "npm install failed: " + ran.err;
    write_file(folder + "/installed", "");
    return {};
}

} // namespace

TEST_CASE("a vite project")
{
    if (find_program("npm").empty()) return skip("no npm");
    const std::string project = BGT_BUILD_DIR "/vite-project";
    if (const std::string why = make_project(project); !why.empty()) return skip(why);
    Lab lab;
    const std::uint16_t port = free_port();
    lab.set_env("PORT=" + std::to_string(port));
    const auto in_project = [&](const Words& words) {
        Invocation what = lab.bgt(words);
        what.cwd = project;
        return run(what, 60s);
    };

    const Ran started = in_project({"run", "--name", "web", "--", "npm", "run", "dev"});
    INFO(started);
    REQUIRE(started.code == 0);
    CHECK(started.out == "1\n");
    CHECK(started.took < 2s);
    const Ran ready = in_project({"wait", "--timeout", "30", "--for", "port", "web"});
    INFO(ready);
    INFO(lab.log("1"));
    REQUIRE(ready.code == 0);
    CHECK(text_at(lab.show("web"), "/ports") == "[" + std::to_string(port) + "]");
    CHECK(in_project({"wait", "--timeout", "30", "--for",
                      "http:127.0.0.1:" + std::to_string(port) + "/main.js", "web"})
              .code == 0);
    CHECK(lab.logged("1", "Local"));
    const Ran logs = in_project({"logs", "web"});
    INFO(logs);
    CHECK(logs.out.find("> vite") != std::string::npos);
    CHECK(logs.out.find("http://127.0.0.1:" + std::to_string(port) + "/") != std::string::npos);
    const std::vector<pid_t> tree = find_task_members(lab.folder());
    CHECK(tree.size() >= 2); // npm, its shell, node, esbuild

    const Ran killed = in_project({"kill", "web"});
    INFO(killed);
    CHECK(killed.code == 0);
    CHECK(killed.out.find("ended ") != std::string::npos);
    CHECK(all_gone(tree));
    CHECK(find_task_members(lab.folder()).empty());
    CHECK(!port_is_open(port));
    CHECK(text_at(lab.show("web"), "/outcome/reason") == "killed");
}
