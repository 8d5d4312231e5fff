#pragma once

#include <cstdint>

namespace mixtape::kernels {

/// Of matrices [rows, n] of float or double, row by row.

/// y = softmax(x): y[r, i] = exp(x[r, i] - m) / sum_k exp(x[r, k] - m), m = max_k x[r, k]. y may be x.
template <class T>
void softmax(const T* x, T* y, int64_t rows, int64_t n) noexcept;
/// dx = y * (dy - sum_k dy[r, k] y[r, k]). dx may be dy.
template <class T>
void softmax_grad(const T* y, const T* dy, T* dx, int64_t rows, int64_t n) noexcept;

/// y = log softmax(x): y[r, i] = x[r, i] - m - log sum_k exp(x[r, k] - m). y may be x.
template <class T>
void log_softmax(const T* x, T* y, int64_t rows, int64_t n) noexcept;
/// dx = dy - exp(y) sum_k dy[r, k]. dx may be dy.
template <class T>
void log_softmax_grad(const T* y, const T* dy, T* dx, int64_t rows, int64_t n) noexcept;

}  // namespace mixtape::kernels
