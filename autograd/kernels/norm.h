#pragma once

#include <cstdint>

namespace mixtape::kernels {

/// y = (x - mean) * rstd * gamma + beta by rows, rstd = 1 / sqrt(variance + epsilon), the variance with divisor n.
/// x, y: [rows, n]  gamma, beta: [n]  statistics: [rows, 2], receives mean and rstd.
void layer_norm(const float* x, const float* gamma, const float* beta, double epsilon, float* y, float* statistics,
                int64_t rows, int64_t n) noexcept;
void layer_norm(const double* x, const double* gamma, const double* beta, double epsilon, double* y, double* statistics,
                int64_t rows, int64_t n) noexcept;

/// The same y once more, from the statistics.
void layer_norm_again(const float* x, const float* gamma, const float* beta, const float* statistics, float* y,
                      int64_t rows, int64_t n) noexcept;
void layer_norm_again(const double* x, const double* gamma, const double* beta, const double* statistics, double* y,
                      int64_t rows, int64_t n) noexcept;

/// With h = (x - mean) * rstd and g = dy * gamma:  dx = rstd * (g - mean_i(g) - h * mean_i(g h)),  dgamma = sum_r dy h,
/// dbeta = sum_r dy. If `adds`, dx is added to what stands there. partial: room for 2 n layer_norm_pieces(rows)
/// numbers.
void layer_norm_grad(const float* x, const float* gamma, const float* statistics, const float* dy, bool adds, float* dx,
                     float* dgamma, float* dbeta, float* partial, int64_t rows, int64_t n) noexcept;
void layer_norm_grad(const double* x, const double* gamma, const double* statistics, const double* dy, bool adds,
                     double* dx, double* dgamma, double* dbeta, double* partial, int64_t rows, int64_t n) noexcept;
int64_t layer_norm_pieces(int64_t rows);

}  // namespace mixtape::kernels
