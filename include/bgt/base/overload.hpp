#pragma once

namespace bgt {

/// Several lambdas as one visitor for std::visit.
template <class... F>
struct Overload : F... {
    using F::operator()...;
};

} // namespace bgt
