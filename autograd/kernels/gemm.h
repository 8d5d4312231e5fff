#pragma once

#include <cstdint>

namespace mixtape::kernels {

/// One operand of a matrix product: row-major, `stride` elements from row to row, read as its transpose if
/// `transposed`.
template <class T>
struct Operand {
  const T* data;
  int64_t stride;
  bool transposed = false;
};

/// How a product takes the numbers of its operands: as they are, or rounded to bfloat16 (to nearest, even in the
/// middle) with sums in f32. f64 is always taken as it is.
enum class Factors : uint8_t { exact, bf16 };

/// C = alpha A B + beta C on the calling thread.   A: [m, k]  B: [k, n]  C: [m, n], c_stride elements from row to row.
/// With beta = 0 C is not read. Sizes may be 0.
void gemm_tile(int64_t m, int64_t n, int64_t k, float alpha, Operand<float> a, Operand<float> b, float beta, float* c,
               int64_t c_stride, Factors factors = Factors::exact) noexcept;
void gemm_tile(int64_t m, int64_t n, int64_t k, double alpha, Operand<double> a, Operand<double> b, double beta,
               double* c, int64_t c_stride, Factors factors = Factors::exact) noexcept;

/// The same, in slices on all compute threads. Where the slices lie depends on the sizes only. If bias is given (and
/// beta is 0), C starts from it: C = alpha A B + bias, bias: [n].
void gemm(int64_t m, int64_t n, int64_t k, float alpha, Operand<float> a, Operand<float> b, float beta, float* c,
          int64_t c_stride, const float* bias = nullptr, Factors factors = Factors::exact) noexcept;
void gemm(int64_t m, int64_t n, int64_t k, double alpha, Operand<double> a, Operand<double> b, double beta, double* c,
          int64_t c_stride, const double* bias = nullptr, Factors factors = Factors::exact) noexcept;

/// C[i] = A[i] B[i] for i in [0, batch): operand i starts a_offsets[i] elements after a.data, and so on; C[i] is
/// contiguous.
void gemm_batch(int64_t batch, int64_t m, int64_t n, int64_t k, Operand<float> a, const int64_t* a_offsets,
                Operand<float> b, const int64_t* b_offsets, float* c, Factors factors = Factors::exact) noexcept;
void gemm_batch(int64_t batch, int64_t m, int64_t n, int64_t k, Operand<double> a, const int64_t* a_offsets,
                Operand<double> b, const int64_t* b_offsets, double* c, Factors factors = Factors::exact) noexcept;

}  // namespace mixtape::kernels
