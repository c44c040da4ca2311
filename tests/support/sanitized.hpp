#pragma once

namespace bgt::test {

/// The program is built with sanitizers: it takes several times as long, and terabytes of address
/// space.
#if defined(BGT_SANITIZED)
inline constexpr bool sanitized = true;
#else
inline constexpr bool sanitized = false;
#endif

} // namespace bgt::test
