#pragma once

#include <cstdint>

namespace mixtape::kernels {

/// Per row: log_sums[r] = log sum_k exp(x[r, k]) and losses[r] = (1 - s) (log_sums[r] - x[r, t]) + s (log_sums[r] -
/// mean_k x[r, k]), t = targets[r] and s = smoothing; 0 where t is `ignored`.   x: [rows, n]
template <class T>
void cross_entropy(const T* x, const int32_t* targets, int32_t ignored, double smoothing, T* losses, T* log_sums,
                   int64_t rows, int64_t n) noexcept;

/// dx[r, k] = scale (exp(x[r, k] - log_sums[r]) - (1 - s) [k = t] - s / n); 0 in ignored rows. dx may be x.
template <class T>
void cross_entropy_grad(const T* x, const int32_t* targets, int32_t ignored, double smoothing, const T* log_sums,
                        double scale, T* dx, int64_t rows, int64_t n) noexcept;

/// The same for targets that weigh every class, t[r, k] = (1 - s) targets[r, k] + s / n:  losses[r] = sum_k t[r, k]
/// (log_sums[r] - x[r, k]), where a weight of 0 times infinity is 0.   x, targets: [rows, n]
template <class T>
void soft_cross_entropy(const T* x, const T* targets, double smoothing, T* losses, T* log_sums, int64_t rows,
                        int64_t n) noexcept;

/// dx[r, k] = scale (exp(x[r, k] - log_sums[r]) sum_j t[r, j] - t[r, k]). dx may be x.
template <class T>
void soft_cross_entropy_grad(const T* x, const T* targets, double smoothing, const T* log_sums, double scale, T* dx,
                             int64_t rows, int64_t n) noexcept;

}  // namespace mixtape::kernels
