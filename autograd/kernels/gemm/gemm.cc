#include "autograd/kernels/gemm/gemm.h"

#include <algorithm>

#include "autograd/kernels/gemm/bf16_tiles.h"
#include "autograd/kernels/gemm/cuts.h"
#include "autograd/kernels/gemm/openblas.h"
#include "autograd/kernels/gemm/panel_gemm.h"
#include "autograd/kernels/gemm/simd_gemm.h"
#include "autograd/kernels/gemm/split_tiles.h"
#include "autograd/kernels/gemm/tuning.h"
#include "autograd/kernels/instruction_set.h"
#include "autograd/kernels/parallel.h"
#include "autograd/kernels/reduce.h"
#include "autograd/kernels/workspace.h"

namespace mixtape::kernels {
namespace {

// The micro-kernel for packed panels of both operands, or nullptr if SIMD kernels are faster. `elements` are packed.
const MicroKernel* panels_for(int64_t m, int64_t n, int64_t k, int64_t elements, Precision precision) {
  if (k == 0) return nullptr;
  if (precision == Precision::bf16) return bf16_micro_kernel();
  const int64_t products = std::max(tuning::kSplitProducts, tuning::kSplitProductsPerElement * elements);
  const bool pays = std::min({m, n, k}) >= tuning::kSplitSize && m * n * k >= products;
  return pays && vector_bits() >= 512 ? split_micro_kernel() : nullptr;
}

// What multiplies: panels with a micro-kernel, SIMD kernels, or OpenBLAS.
struct Path {
  const MicroKernel* kernel = nullptr;
  bool simd = false;

  bool openblas() const { return !kernel && !simd; }
};

template <class T>
Path path_for(const GemmArguments<T>& p, Precision precision) {
  if (std::is_same_v<T, double> || p.k == 0) return {};
  if (const MicroKernel* kernel = panels_for(p.m, p.n, p.k, (p.m + p.n) * p.k, precision)) return {kernel};
  return {nullptr, precision == Precision::bf16 || prefers_simd_gemm(p.m, p.n, p.k)};
}

// C = beta C, or the bias in every row.
template <class T>
void start(const GemmArguments<T>& p) noexcept {
  T* c = p.c;
  for (int64_t row = 0; row < p.m; ++row, c += p.c_stride) {
    for (int64_t i = 0; i < p.n; ++i) c[i] = p.bias ? p.bias[i] : p.beta == T(0) ? T(0) : p.beta * c[i];
  }
}

template <class T>
GemmArguments<T> without_maps(GemmArguments<T> p) noexcept {
  p.a = mapped(p.a, p.m, p.k, Workspace::mapped_a);
  p.b = mapped(p.b, p.k, p.n, Workspace::mapped_b);
  return p;
}

// On all compute threads, or on the calling one inside a loop; OpenBLAS on the calling one.
template <class T>
void multiply_by(Path path, GemmArguments<T> p, Precision precision) noexcept {
  if (p.m == 0 || p.n == 0) return;
  if constexpr (std::is_same_v<T, float>) {
    if (path.kernel) return panel_gemm(*path.kernel, p);
    if (path.simd) return simd_gemm(p, precision);
  }
  if (p.k == 0) return start(p);
  if (p.bias) {
    start(p);
    p.beta = 1;
  }
  openblas_gemm(without_maps(p));
}

template <class T>
void multiply_tile(const GemmArguments<T>& p, Precision precision) noexcept {
  multiply_by(path_for(p, precision), p, precision);
}

// The gradient of a weight is few long sums: they are cut along the inner size, so that all threads have work. Where
// that makes fewer parts than threads, the rows are cut, too, which changes no sum.
template <class T>
void multiply_in_parts(const GemmArguments<T>& p, int64_t parts) noexcept {
  const int64_t size = p.m * p.n, depth = (p.k / parts + 31) / 32 * 32;
  T* partial = workspace<T>(Workspace::partial_products, (parts - 1) * size);
  const int64_t rows = slice_size(p.m, (threads() + parts - 1) / parts), blocks = (p.m + rows - 1) / rows;
  parallel_for(parts * blocks, 1, [=](int64_t task, int64_t) {
    const int64_t part = task / blocks, row = task % blocks * rows;
    const int64_t from = std::min(p.k, part * depth), to = part + 1 == parts ? p.k : std::min(p.k, from + depth);
    GemmArguments<T> product = p.inner(from, to - from);
    if (part > 0) {
      product.beta = 0;
      product.c = partial + (part - 1) * size;
      product.c_stride = p.n;
    }
    const Path path = path_for(product, Precision::full);
    if (!path.openblas()) return multiply_by(path, product.block(row, rows, 0, p.n), Precision::full);
    if (row == 0) multiply_by(path, product, Precision::full);  // a cut would change its last bits
  });
  parallel_for(p.m, grain_for(p.n * parts), [=](int64_t first, int64_t last) {
    for (int64_t part = 0; part + 1 < parts; ++part) {
      const T* sums = partial + part * size;
      if (p.c_stride == p.n) {
        add_to(sums + first * p.n, p.c + first * p.n, (last - first) * p.n);
      } else {
        for (int64_t row = first; row < last; ++row) add_to(sums + row * p.n, p.c + row * p.c_stride, p.n);
      }
    }
  });
}

template <class T>
void multiply(const GemmArguments<T>& p, Precision precision) noexcept {
  if (std::is_same_v<T, double>) precision = Precision::full;
  if (cuts_sums(p.m, p.n, p.k) && !p.bias && precision == Precision::full)
    return multiply_in_parts(p, sum_parts_for(p.m, p.n, p.k));
  if (const Path path = path_for(p, precision); !path.openblas()) return multiply_by(path, p, precision);
  const GemmArguments<T> product = without_maps(p);
  const auto slice = [&](int64_t size) { return slice_size(size, parts_for(p.flops())); };
  if (p.m >= p.n) {
    parallel_for(p.m, slice(p.m), [&](int64_t first, int64_t last) {
      multiply_tile(product.block(first, last - first, 0, p.n), precision);
    });
  } else {
    parallel_for(p.n, slice(p.n), [&](int64_t first, int64_t last) {
      multiply_tile(product.block(0, p.m, first, last - first), precision);
    });
  }
}

}  // namespace

template <class T>
void gemm(int64_t m, int64_t n, int64_t k, std::type_identity_t<T> alpha, Operand<T> a, Operand<T> b,
          std::type_identity_t<T> beta, T* c, int64_t c_stride, const std::type_identity_t<T>* bias,
          Precision precision) noexcept {
  multiply<T>({m, n, k, alpha, a, b, beta, c, c_stride, bias}, precision);
}

template <class T>
void gemm_batch(int64_t batch, int64_t m, int64_t n, int64_t k, Operand<T> a, const int64_t* a_offsets, Operand<T> b,
                const int64_t* b_offsets, T* c, Precision precision) noexcept {
  const auto product = [=](int64_t i) {
    return GemmArguments<T>{m,
                            n,
                            k,
                            1,
                            {a.data + a_offsets[i], a.stride, a.transposed},
                            {b.data + b_offsets[i], b.stride, b.transposed},
                            0,
                            c + i * m * n,
                            n};
  };
  if (batch == 1) return multiply(product(0), precision);
  const int64_t products =
      precision == Precision::bf16 && std::is_same_v<T, float> ? tuning::kBf16BatchProducts : tuning::kBatchProducts;
  parallel_for(batch, grain_for(m * n * k, products), [=](int64_t first, int64_t last) {
    for (int64_t i = first; i < last; ++i) multiply_tile(product(i), precision);
  });
}

template <class T>
void gemm_tile(int64_t m, int64_t n, int64_t k, std::type_identity_t<T> alpha, Operand<T> a, Operand<T> b,
               std::type_identity_t<T> beta, T* c, int64_t c_stride, Precision precision) noexcept {
  multiply_tile<T>({m, n, k, alpha, a, b, beta, c, c_stride}, precision);
}

template <class T>
bool packs_b(int64_t m, int64_t n, int64_t k, Precision precision) noexcept {
  return std::is_same_v<T, float> && (panels_for(m, n, k, m * k, precision) || prefers_simd_gemm(m, n, k));
}

template <class T>
PackedB<T> pack_b(int64_t m, int64_t n, int64_t k, Operand<T> b, Precision precision, Workspace purpose) noexcept {
  PackedB<T> packed{n, k, b, precision};
  if constexpr (std::is_same_v<T, float>) {
    if (const MicroKernel* kernel = panels_for(m, n, k, m * k, precision)) {
      uint16_t* panels = workspace<uint16_t>(purpose, packed_panels_size(*kernel, n, k));
      if (pack_panels(*kernel, n, k, b, panels)) {
        packed.kernel = kernel;
        packed.panels = panels;
        return packed;
      }
    }
    if (prefers_simd_gemm(m, n, k))
      packed.simd = simd_pack_b(n, k, b, workspace<float>(purpose, packed_b_size(n, k)), precision).data;
  }
  return packed;
}

template <class T>
void gemm_tile(int64_t m, int64_t n, int64_t k, std::type_identity_t<T> alpha, Operand<T> a, const PackedB<T>& b,
               std::type_identity_t<T> beta, T* c, int64_t c_stride) noexcept {
  const GemmArguments<T> product{m, n, k, alpha, a, b.b, beta, c, c_stride};
  if constexpr (std::is_same_v<T, float>) {
    if (b.panels) return multiply_panels({b.kernel, b.panels, b.n, b.k}, product);
    if (b.simd) return simd_multiply(product, {b.simd, b.n, b.k, b.precision});
  }
  multiply_tile(product, b.precision);
}

template void gemm(int64_t, int64_t, int64_t, float, Operand<float>, Operand<float>, float, float*, int64_t,
                   const float*, Precision) noexcept;
template void gemm(int64_t, int64_t, int64_t, double, Operand<double>, Operand<double>, double, double*, int64_t,
                   const double*, Precision) noexcept;
template void gemm_batch(int64_t, int64_t, int64_t, int64_t, Operand<float>, const int64_t*, Operand<float>,
                         const int64_t*, float*, Precision) noexcept;
template void gemm_batch(int64_t, int64_t, int64_t, int64_t, Operand<double>, const int64_t*, Operand<double>,
                         const int64_t*, double*, Precision) noexcept;
template void gemm_tile(int64_t, int64_t, int64_t, float, Operand<float>, Operand<float>, float, float*, int64_t,
                        Precision) noexcept;
template void gemm_tile(int64_t, int64_t, int64_t, double, Operand<double>, Operand<double>, double, double*, int64_t,
                        Precision) noexcept;
template void gemm_tile(int64_t, int64_t, int64_t, float, Operand<float>, const PackedB<float>&, float, float*,
                        int64_t) noexcept;
template void gemm_tile(int64_t, int64_t, int64_t, double, Operand<double>, const PackedB<double>&, double, double*,
                        int64_t) noexcept;
template PackedB<float> pack_b(int64_t, int64_t, int64_t, Operand<float>, Precision, Workspace) noexcept;
template PackedB<double> pack_b(int64_t, int64_t, int64_t, Operand<double>, Precision, Workspace) noexcept;
template bool packs_b<float>(int64_t, int64_t, int64_t, Precision) noexcept;
template bool packs_b<double>(int64_t, int64_t, int64_t, Precision) noexcept;

}  // namespace mixtape::kernels
