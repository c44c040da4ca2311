// The way of opening files that is taken on kernels without openat2.
#include "temp_folder.hpp"

#include "../../../src/store/files.hpp"

#include <fcntl.h>

using namespace bgt;
using namespace bgt::store;
using namespace bgt::store::test;

TEST_CASE("opening step by step answers as openat2 does")
{
    TempFolder temp;
    std::filesystem::create_directories(temp / "a/b");
    put(temp / "a/b/file", "x");
    std::filesystem::create_symlink("file", temp / "a/b/link");
    std::filesystem::create_symlink("b", temp / "a/linked");
    const Fd dir(::open((temp / ".").c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    REQUIRE(dir);
    const auto answer = [](const Fd& fd) { return fd ? 0 : errno; };
    for (const char* path : {"a/b/file", "a/b/link", "a/linked/file", "a/b/file/x", "a/none/x", "none", "a/b"}) {
        INFO(path);
        const int direct = answer(detail::open_below(dir.get(), path, O_RDONLY));
        const int stepwise = answer(detail::open_stepwise(dir.get(), path, O_RDONLY, 0));
        CHECK(direct == stepwise);
    }
    const Fd made = detail::open_stepwise(dir.get(), "a/b/made", O_WRONLY | O_CREAT, 0600);
    REQUIRE(made);
    CHECK((::fcntl(made.get(), F_GETFD) & FD_CLOEXEC) != 0);
    CHECK(exists(temp / "a/b/made"));
}
