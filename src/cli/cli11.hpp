#pragma once
/// CLI11 without <iostream>. Whoever includes that header has the standard streams and all facets
/// of the "C" locale made before main() (C++20 [iostream.objects.overview]), a fifth of all
/// instructions of a start; bgt uses none of them, and CLI11 only in functions that bgt does not
/// call. The streams are declared, the header is passed over. Hazard: an <iostream> later in the
/// same file would be passed over too (tests/unit/layers_test.sh forbids it everywhere).
#include <istream>
#include <ostream>

#ifdef __GLIBCXX__
#define _GLIBCXX_IOSTREAM 1
namespace std {
extern ostream cout, cerr;
} // namespace std
#endif

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
