#pragma once

#include <cstdint>

namespace mixtape::kernels {

/// Per row: log_sums[r] = log sum_k exp(x[r, k]) and losses[r] = (1 - s) (log_sums[r] - x[r, t]) + s (log_sums[r] -
/// mean_k x[r, k]), t = targets[r] and s = smoothing; 0 where t is `ignored`.   x: [rows, n]
void cross_entropy(const float* x, const int32_t* targets, int32_t ignored, double smoothing, float* losses,
                   float* log_sums, int64_t rows, int64_t n) noexcept;
void cross_entropy(const double* x, const int32_t* targets, int32_t ignored, double smoothing, double* losses,
                   double* log_sums, int64_t rows, int64_t n) noexcept;

/// dx[r, k] = scale (exp(x[r, k] - log_sums[r]) - (1 - s) [k = t] - s / n); 0 in ignored rows. dx may be x.
void cross_entropy_grad(const float* x, const int32_t* targets, int32_t ignored, double smoothing,
                        const float* log_sums, double scale, float* dx, int64_t rows, int64_t n) noexcept;
void cross_entropy_grad(const double* x, const int32_t* targets, int32_t ignored, double smoothing,
                        const double* log_sums, double scale, double* dx, int64_t rows, int64_t n) noexcept;

/// The same for targets that give a weight to every class, t[r, k] = (1 - s) targets[r, k] + s / n:  losses[r] = sum_k
/// t[r, k] (log_sums[r] - x[r, k]), where a weight of 0 times infinity is 0.   x, targets: [rows, n]
void soft_cross_entropy(const float* x, const float* targets, double smoothing, float* losses, float* log_sums,
                        int64_t rows, int64_t n) noexcept;
void soft_cross_entropy(const double* x, const double* targets, double smoothing, double* losses, double* log_sums,
                        int64_t rows, int64_t n) noexcept;

/// dx[r, k] = scale (exp(x[r, k] - log_sums[r]) sum_j t[r, j] - t[r, k]). dx may be x.
void soft_cross_entropy_grad(const float* x, const float* targets, double smoothing, const float* log_sums,
                             double scale, float* dx, int64_t rows, int64_t n) noexcept;
void soft_cross_entropy_grad(const double* x, const double* targets, double smoothing, const double* log_sums,
                             double scale, double* dx, int64_t rows, int64_t n) noexcept;

}  // namespace mixtape::kernels
