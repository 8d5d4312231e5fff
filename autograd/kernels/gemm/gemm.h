#pragma once

#include <cstdint>
#include <type_traits>

#include "autograd/kernels/gemm/operand.h"
#include "autograd/kernels/gemm/precision.h"

/// Matrix products. README.md says which path takes which product, and why.
namespace mixtape::kernels {

struct MicroKernel;

/// C = alpha A B + beta C, or alpha A B + bias if a bias is given and beta is 0.
/// A: [m, k]  B: [k, n]  C: [m, n], c_stride elements from row to row  bias: [n]
/// On all compute threads; the result does not depend on how many there are. C is not read if beta is 0. Sizes may
/// be 0.
template <class T>
void gemm(int64_t m, int64_t n, int64_t k, std::type_identity_t<T> alpha, Operand<T> a, Operand<T> b,
          std::type_identity_t<T> beta, T* c, int64_t c_stride, const std::type_identity_t<T>* bias = nullptr,
          Precision precision = Precision::full) noexcept;

/// C[i] = A[i] B[i] for i in [0, batch): A[i] starts a_offsets[i] elements after a.data, B[i] likewise; C: [batch, m,
/// n], contiguous.
template <class T>
void gemm_batch(int64_t batch, int64_t m, int64_t n, int64_t k, Operand<T> a, const int64_t* a_offsets, Operand<T> b,
                const int64_t* b_offsets, T* c, Precision precision = Precision::full) noexcept;

/// C = alpha A B + beta C on the calling thread, for use inside a parallel loop.
template <class T>
void gemm_tile(int64_t m, int64_t n, int64_t k, std::type_identity_t<T> alpha, Operand<T> a, Operand<T> b,
               std::type_identity_t<T> beta, T* c, int64_t c_stride, Precision precision = Precision::full) noexcept;

/// The right operand B: [k, n] of several products, packed for the path that takes them if that pays.
template <class T>
struct PackedB {
  int64_t n, k;
  Operand<T> b;
  Precision precision;
  const T* simd = nullptr;  ///< for simd_multiply
  const MicroKernel* kernel = nullptr;
  const uint16_t* panels = nullptr;  ///< for multiply_panels with that kernel
};
/// For products with m rows on the left, in that workspace; on all compute threads, or on the calling one inside a
/// loop.
template <class T>
PackedB<T> pack_b(int64_t m, int64_t n, int64_t k, Operand<T> b, Precision precision, Workspace purpose) noexcept;
/// Whether packing pays.
template <class T>
bool packs_b(int64_t m, int64_t n, int64_t k, Precision precision) noexcept;
/// gemm_tile with the first k rows and n columns of a packed B.
template <class T>
void gemm_tile(int64_t m, int64_t n, int64_t k, std::type_identity_t<T> alpha, Operand<T> a, const PackedB<T>& b,
               std::type_identity_t<T> beta, T* c, int64_t c_stride) noexcept;

}  // namespace mixtape::kernels
