#pragma once

namespace bgt {

/// Several lambdas as one visitor for std::visit.
template <class... F>
struct Overload : F... {
    using F::operator()...;
};
template <class... F>
Overload(F...) -> Overload<F...>; // clang before 17 does not deduce it for aggregates

} // namespace bgt
