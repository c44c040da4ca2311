#include <bgt/cli/verb.hpp>

int main(int argc, char** argv)
{
    return bgt::cli::main(argc, argv);
}
