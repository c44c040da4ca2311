#pragma once
/// A PostgreSQL that belongs to a test. The server refuses root, so root's tests run it as the user
/// postgres.
#include "support/catch.hpp"
#include "support/lab.hpp"
#include "support/skip.hpp"

#include <glob.h>
#include <unistd.h>

namespace bgt::test {

struct Postgres {
    std::string program; ///< empty: it can't be had here, and the test is called skipped
    Words as_user;       ///< what stands before a command that must not run as root
    std::string place;   ///< a folder of that user
    std::string data() const { return place + "/data"; }

    Words words(const Words& command) const
    {
        Words all = as_user;
        all.insert(all.end(), command.begin(), command.end());
        return all;
    }
    /// The server in the foreground, on TCP only.
    Words server(std::uint16_t port) const
    {
        return {program, "-D", data(),      "-p", std::to_string(port), "-k",
                "",      "-h", "127.0.0.1", "-c", "fsync=off"};
    }
};

/// With an empty database.
inline Postgres make_postgres(const Lab& lab)
{
    namespace fs = std::filesystem;
    Postgres made;
    glob_t found{};
    glob("/usr/lib/postgresql/*/bin/postgres", 0, nullptr, &found);
    const std::string program = found.gl_pathc > 0 ? found.gl_pathv[found.gl_pathc - 1] : "";
    globfree(&found);
    const bool is_root = geteuid() == 0;
    if (program.empty() || (is_root && (run(lab.program({"id", "postgres"})).code != 0 ||
                                        find_program("setpriv").empty()))) {
        skip("no postgres, no user postgres, or no setpriv");
        return made;
    }
    made.place = lab.work() + "/place";
    fs::create_directory(made.place);
    if (is_root) {
        made.as_user = {"setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"};
        REQUIRE(run(lab.program({"chown", "postgres:", made.place})).code == 0);
        for (const std::string& above : {lab.folder(), lab.work()})
            fs::permissions(above, fs::perms::others_exec, fs::perm_options::add);
    }
    const std::string folder = program.substr(0, program.rfind('/'));
    const Ran init = run(lab.program(made.words({folder + "/initdb", "--no-sync", "--auth=trust",
                                                 "--username=postgres", "-D", made.data()})),
                         std::chrono::seconds(60));
    INFO(init);
    REQUIRE(init.code == 0);
    made.program = program;
    return made;
}

} // namespace bgt::test
