#pragma once

#include <cstdint>

namespace mixtape::kernels {

/// Elementwise functions of float and double arrays.

/// y[i] = f(x[i]) for i in [0, n). y may be x.
enum class Unary { exp, log, sqrt, tanh, erf, relu, gelu, gelu_tanh };
template <class T>
void unary(Unary f, const T* x, T* y, int64_t n) noexcept;
/// x: the bits of bfloat16
void unary(Unary f, const uint16_t* x, float* y, int64_t n) noexcept;

/// y = f(x) of a matrix whose rows are x_stride elements apart in x and contiguous in y. On the calling thread.
template <class T>
void unary_rows(Unary f, const T* x, int64_t x_stride, T* y, int64_t rows, int64_t n) noexcept;

/// dx[i] = dy[i] * f'(x[i]) of relu (which may be given y as x), gelu and gelu_tanh. dx may be dy or x.
template <class T>
void unary_grad(Unary f, const T* x, const T* dy, T* dx, int64_t n) noexcept;
void unary_grad(Unary f, const uint16_t* x, const float* dy, float* dx, int64_t n) noexcept;

/// y[i] = scale * x[i] + shift. y may be x.
template <class T>
void affine(const T* x, double scale, double shift, T* y, int64_t n) noexcept;

/// y = a op b with broadcasting: element (i0, i1, ..) reads a[sum i_k a_strides[k]], b likewise; y is contiguous of the
/// given sizes. A stride is that of a contiguous array, or 0 where the axis is broadcast. y may be an operand that is
/// not broadcast.
enum class Binary { add, subtract, multiply, divide };
struct BroadcastLoop {
  int rank = 0;
  int64_t sizes[8] = {};
  int64_t a_strides[8] = {};
  int64_t b_strides[8] = {};
};
template <class T>
void binary(Binary f, const BroadcastLoop& loop, const T* a, const T* b, T* y) noexcept;

/// y[i] = condition[i] != 0 ? a[i] : b[i].
template <class T>
void select(const int32_t* condition, const T* a, const T* b, T* y, int64_t n) noexcept;

}  // namespace mixtape::kernels
