#pragma once

#include <cstdint>

namespace mixtape::kernels {

/// y = (x - mean) * rstd * gamma + beta by rows, rstd = 1 / sqrt(variance + epsilon), the variance with divisor n.
/// x, y: [rows, n]  gamma, beta: [n]  statistics: [rows, 2], receives mean and rstd.
template <class T>
void layer_norm(const T* x, const T* gamma, const T* beta, double epsilon, T* y, T* statistics, int64_t rows,
                int64_t n) noexcept;

/// The same y from the statistics.
template <class T>
void layer_norm_recompute(const T* x, const T* gamma, const T* beta, const T* statistics, T* y, int64_t rows,
                          int64_t n) noexcept;

/// With h = (x - mean) * rstd and g = dy * gamma:  dx = rstd * (g - mean_i(g) - h * mean_i(g h)),  dgamma = sum_r dy h,
/// dbeta = sum_r dy. If `adds`, dx is added to what is there.   partial: [2, layer_norm_pieces(rows), n], a workspace
template <class T>
void layer_norm_grad(const T* x, const T* gamma, const T* statistics, const T* dy, bool adds, T* dx, T* dgamma,
                     T* dbeta, T* partial, int64_t rows, int64_t n) noexcept;
int64_t layer_norm_pieces(int64_t rows);

}  // namespace mixtape::kernels
