#pragma once

#include <cstdint>

namespace mixtape::kernels {

/// y = softmax(x) by rows: y[r, i] = exp(x[r, i] - m) / sum_k exp(x[r, k] - m), m = max_k x[r, k].   x, y: [rows, n]; y
/// may be x
void softmax(const float* x, float* y, int64_t rows, int64_t n) noexcept;
void softmax(const double* x, double* y, int64_t rows, int64_t n) noexcept;
/// dx = y * (dy - sum_k dy[r, k] y[r, k]); dx may be dy.
void softmax_grad(const float* y, const float* dy, float* dx, int64_t rows, int64_t n) noexcept;
void softmax_grad(const double* y, const double* dy, double* dx, int64_t rows, int64_t n) noexcept;

/// y = log softmax(x) by rows: y[r, i] = x[r, i] - m - log sum_k exp(x[r, k] - m); y may be x.
void log_softmax(const float* x, float* y, int64_t rows, int64_t n) noexcept;
void log_softmax(const double* x, double* y, int64_t rows, int64_t n) noexcept;
/// dx = dy - exp(y) sum_k dy[r, k]; dx may be dy.
void log_softmax_grad(const float* y, const float* dy, float* dx, int64_t rows, int64_t n) noexcept;
void log_softmax_grad(const double* y, const double* dy, double* dx, int64_t rows, int64_t n) noexcept;

}  // namespace mixtape::kernels
