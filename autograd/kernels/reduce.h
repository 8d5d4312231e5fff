#pragma once

#include <cstdint>

namespace mixtape::kernels {

/// y[o, i] = sum_k x[o, k, i].   x: [outer, n, inner]  y: [outer, inner]. Sums of n = 0 are 0.
template <class T>
void sum(const T* x, T* y, int64_t outer, int64_t n, int64_t inner) noexcept;

/// indices[o, i] = the first k for which x[o, k, i] is largest; a NaN counts as largest.   n > 0
template <class T>
void argmax(const T* x, int32_t* indices, int64_t outer, int64_t n, int64_t inner) noexcept;

/// sum_i x[i]^2, accumulated in double.
template <class T>
double sum_of_squares(const T* x, int64_t n) noexcept;

/// y += x.
template <class T>
void add_to(const T* x, T* y, int64_t n) noexcept;

}  // namespace mixtape::kernels
