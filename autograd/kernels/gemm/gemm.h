#pragma once

#include <cstdint>

#include "autograd/kernels/gemm/operand.h"

namespace mixtape::kernels {

/// How much work a product is.
constexpr double flops_of(int64_t m, int64_t n, int64_t k) {
  return 2.0 * static_cast<double>(m) * static_cast<double>(n) * static_cast<double>(k);
}

/// How a product takes the numbers of its operands: as they are, or rounded to bfloat16 (to nearest, even in the
/// middle) with sums in f32. f64 is always taken as it is.
enum class Factors : uint8_t { exact, bf16 };

/// C = alpha A B + beta C, for use inside a parallel loop, on the calling thread then.   A: [m, k]  B: [k, n]  C: [m,
/// n], c_stride elements from row to row. With beta = 0 C is not read. Sizes may be 0.
void gemm_tile(int64_t m, int64_t n, int64_t k, float alpha, Operand<float> a, Operand<float> b, float beta, float* c,
               int64_t c_stride, Factors factors = Factors::exact) noexcept;
void gemm_tile(int64_t m, int64_t n, int64_t k, double alpha, Operand<double> a, Operand<double> b, double beta,
               double* c, int64_t c_stride, Factors factors = Factors::exact) noexcept;

struct PanelKernels;

/// The right operand B: [k, n] of several products, laid out once the way they take it, if that is worth while.
template <class T>
struct RightOperand {
  int64_t n, k;
  Operand<T> b;
  Factors factors;
  const T* strips = nullptr;  ///< if it lies in strips
  const PanelKernels* kernels = nullptr;
  const uint16_t* panels = nullptr;  ///< if it lies in panels, for these kernels
};
/// For m rows on the left in all. Uses that room of the calling thread's scratch memory; on all compute threads,
/// or on the calling one inside a loop.
RightOperand<float> lay_out(int64_t m, int64_t n, int64_t k, Operand<float> b, Factors factors, Room room) noexcept;
RightOperand<double> lay_out(int64_t m, int64_t n, int64_t k, Operand<double> b, Factors factors, Room room) noexcept;
/// Whether so many numbers are laid out sooner by each thread of a loop for itself than by all together.
bool each_for_itself(int64_t numbers) noexcept;
/// Whether laying B out is worth while, whatever numbers it has.
bool lays_out(int64_t m, int64_t n, int64_t k, Operand<float> b, Factors factors) noexcept;
bool lays_out(int64_t m, int64_t n, int64_t k, Operand<double> b, Factors factors) noexcept;

/// The same with the first k rows and n columns of B.
void gemm_tile(int64_t m, int64_t n, int64_t k, float alpha, Operand<float> a, const RightOperand<float>& b, float beta,
               float* c, int64_t c_stride) noexcept;
void gemm_tile(int64_t m, int64_t n, int64_t k, double alpha, Operand<double> a, const RightOperand<double>& b,
               double beta, double* c, int64_t c_stride) noexcept;

/// How many rows of such products a thread best takes at a time: they stay in its cache. 0 if the m rows are too few
/// for all threads, or B is large: then gemm does better.
int64_t rows_at_a_time(int64_t m, int64_t n, int64_t k) noexcept;

/// C = alpha A B + beta C in slices on all compute threads. Where the slices lie depends on the sizes only. If bias is
/// given (and beta is 0), C starts from it: C = alpha A B + bias, bias: [n].
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
