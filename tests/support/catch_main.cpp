#if __has_include(<catch2/catch_all.hpp>)
#include <catch2/catch_session.hpp>
#else
#define CATCH_CONFIG_RUNNER
#include <catch2/catch.hpp>
#endif
#include <sys/stat.h>

int main(int argc, char** argv)
{
    // Files that the tests make are to have the same modes everywhere: logins of Debian 13 have a
    // umask of 002, and bgt reads no file that a group may write.
    ::umask(022);
    return Catch::Session().run(argc, argv);
}
