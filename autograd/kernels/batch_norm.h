#pragma once

#include <cstdint>

namespace mixtape::kernels {

/// y = (x - mean) * rstd * gamma + beta by columns, rstd = 1 / sqrt(variance + epsilon), the variance with divisor
/// rows. x, y: [rows, n]  gamma, beta: [n]  statistics: [3, n], receives mean, variance and rstd.   partial: room for
/// 2 n batch_norm_pieces(rows) numbers.   rows > 0
void batch_norm(const float* x, const float* gamma, const float* beta, double epsilon, float* y, float* statistics,
                float* partial, int64_t rows, int64_t n) noexcept;
void batch_norm(const double* x, const double* gamma, const double* beta, double epsilon, double* y, double* statistics,
                double* partial, int64_t rows, int64_t n) noexcept;

/// With h = (x - mean) * rstd:  dbeta = sum_r dy,  dgamma = sum_r dy h,  dx = gamma * rstd * (dy - dbeta / rows - h *
/// dgamma / rows).
void batch_norm_grad(const float* x, const float* gamma, const float* statistics, const float* dy, float* dx,
                     float* dgamma, float* dbeta, float* partial, int64_t rows, int64_t n) noexcept;
void batch_norm_grad(const double* x, const double* gamma, const double* statistics, const double* dy, double* dx,
                     double* dgamma, double* dbeta, double* partial, int64_t rows, int64_t n) noexcept;
int64_t batch_norm_pieces(int64_t rows);

}  // namespace mixtape::kernels
