#pragma once

#include <cstdint>

namespace mixtape::kernels {

/// y = (x - mean) * rstd * gamma + beta by columns, rstd = 1 / sqrt(variance + epsilon), the variance with divisor
/// rows.   x, y: [rows, n]  gamma, beta: [n]  statistics: [3, n], receives mean, variance and rstd
/// partial: [2, batch_norm_pieces(rows), n], a workspace   rows > 0
template <class T>
void batch_norm(const T* x, const T* gamma, const T* beta, double epsilon, T* y, T* statistics, T* partial,
                int64_t rows, int64_t n) noexcept;

/// With h = (x - mean) * rstd:  dbeta = sum_r dy,  dgamma = sum_r dy h,  dx = gamma * rstd * (dy - dbeta / rows - h *
/// dgamma / rows).
template <class T>
void batch_norm_grad(const T* x, const T* gamma, const T* statistics, const T* dy, T* dx, T* dgamma, T* dbeta,
                     T* partial, int64_t rows, int64_t n) noexcept;
int64_t batch_norm_pieces(int64_t rows);

}  // namespace mixtape::kernels
