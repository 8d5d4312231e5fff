#pragma once

#include <cstdint>

namespace mixtape::kernels {

/// y[i] = f(x[i]) for i in [0, n). y may be x.
enum class Unary { exp, log, sqrt, tanh, erf, relu, gelu, gelu_tanh };
void unary(Unary f, const float* x, float* y, int64_t n) noexcept;
void unary(Unary f, const double* x, double* y, int64_t n) noexcept;
/// Of the bits of bfloat16.
void unary(Unary f, const uint16_t* x, float* y, int64_t n) noexcept;

/// y = f(x) for a matrix whose rows are x_stride elements apart in x, and contiguous in y. On the calling thread.
void unary_rows(Unary f, const float* x, int64_t x_stride, float* y, int64_t rows, int64_t n) noexcept;
void unary_rows(Unary f, const double* x, int64_t x_stride, double* y, int64_t rows, int64_t n) noexcept;

/// dx[i] = dy[i] * f'(x[i]), for the functions whose rules are fused: relu (which may be given y for x), gelu,
/// gelu_tanh. dx may be dy or x.
void unary_grad(Unary f, const float* x, const float* dy, float* dx, int64_t n) noexcept;
void unary_grad(Unary f, const double* x, const double* dy, double* dx, int64_t n) noexcept;
void unary_grad(Unary f, const uint16_t* x, const float* dy, float* dx, int64_t n) noexcept;

/// y[i] = scale * x[i] + shift. y may be x.
void affine(const float* x, double scale, double shift, float* y, int64_t n) noexcept;
void affine(const double* x, double scale, double shift, double* y, int64_t n) noexcept;

/// y = a op b with broadcasting: element (i0, i1, ..) reads a[sum i_k a_strides[k]], b likewise; y is contiguous of the
/// given sizes. A stride is that of a contiguous array, or 0 where the axis is stretched. y may be a or b where that
/// one is not stretched.
enum class Binary { add, subtract, multiply, divide };
struct BroadcastLoop {
  int rank = 0;
  int64_t sizes[8] = {};
  int64_t a_strides[8] = {};
  int64_t b_strides[8] = {};
};
void binary(Binary f, const BroadcastLoop& loop, const float* a, const float* b, float* y) noexcept;
void binary(Binary f, const BroadcastLoop& loop, const double* a, const double* b, double* y) noexcept;

/// y[i] = condition[i] != 0 ? a[i] : b[i].
void select(const int32_t* condition, const float* a, const float* b, float* y, int64_t n) noexcept;
void select(const int32_t* condition, const double* a, const double* b, double* y, int64_t n) noexcept;

}  // namespace mixtape::kernels
