#pragma once

#include <cstdint>

namespace mixtape::kernels {

/// y[o, i] = sum over k of x[o, k, i].   x: [outer, n, inner]  y: [outer, inner]. Sums of n = 0 are 0.
void sum(const float* x, float* y, int64_t outer, int64_t n, int64_t inner) noexcept;
void sum(const double* x, double* y, int64_t outer, int64_t n, int64_t inner) noexcept;

/// indices[o, i] = the first k for which x[o, k, i] is largest; a NaN counts as largest.   n > 0
void argmax(const float* x, int32_t* indices, int64_t outer, int64_t n, int64_t inner) noexcept;
void argmax(const double* x, int32_t* indices, int64_t outer, int64_t n, int64_t inner) noexcept;

/// The sum of squares of x, added up in double.
double sum_of_squares(const float* x, int64_t n) noexcept;
double sum_of_squares(const double* x, int64_t n) noexcept;

/// y += x.
void add_to(const float* x, float* y, int64_t n) noexcept;
void add_to(const double* x, double* y, int64_t n) noexcept;

}  // namespace mixtape::kernels
