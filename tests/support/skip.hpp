#pragma once
/// Tests that this machine can't run. Catch2 2 knows no skipping.
#include <string>

namespace bgt::test {

/// Says why the running test case is not run here, and has it counted as skipped; the caller
/// returns at once. The last line of the program is then "N passed, M failed, K skipped".
void skip(const std::string& reason);

} // namespace bgt::test
