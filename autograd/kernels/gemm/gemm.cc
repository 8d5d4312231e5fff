#include "autograd/kernels/gemm/gemm.h"

#include <cblas.h>

#include <algorithm>
#include <mutex>

#include "autograd/kernels/gemm/bf16_gemm.h"
#include "autograd/kernels/gemm/simd_gemm.h"
#include "autograd/kernels/gemm/split_tiles.h"
#include "autograd/kernels/instruction_set.h"
#include "autograd/kernels/parallel.h"
#include "autograd/kernels/reduce.h"
#include "autograd/kernels/scratch.h"

namespace mixtape::kernels {
namespace {

// The loop outside is ours, so the library's own threads stay off.
const bool kOneBlasThread = [] {
  openblas_set_num_threads(1);
  return true;
}();

// The build without threads shares its buffers between calls and guards nothing: two calls at once give garbage. Every
// other build is safe.
class OneCallAtATime {
 public:
  OneCallAtATime() {
    if (kNeeded) mutex_.lock();
  }
  ~OneCallAtATime() {
    if (kNeeded) mutex_.unlock();
  }
  OneCallAtATime(const OneCallAtATime&) = delete;
  OneCallAtATime& operator=(const OneCallAtATime&) = delete;

 private:
  static inline const bool kNeeded = openblas_get_parallel() == OPENBLAS_SEQUENTIAL;
  static inline std::mutex mutex_;
};

void blas(CBLAS_TRANSPOSE ta, CBLAS_TRANSPOSE tb, blasint m, blasint n, blasint k, float alpha, const float* a,
          blasint lda, const float* b, blasint ldb, float beta, float* c, blasint ldc) {
  cblas_sgemm(CblasRowMajor, ta, tb, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc);
}
void blas(CBLAS_TRANSPOSE ta, CBLAS_TRANSPOSE tb, blasint m, blasint n, blasint k, double alpha, const double* a,
          blasint lda, const double* b, blasint ldb, double beta, double* c, blasint ldc) {
  cblas_dgemm(CblasRowMajor, ta, tb, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc);
}

// C = beta C, which is all that a product of inner size 0 does.
template <class T>
void scale(int64_t m, int64_t n, T beta, T* c, int64_t c_stride) noexcept {
  for (int64_t row = 0; row < m; ++row, c += c_stride) {
    for (int64_t i = 0; i < n; ++i) c[i] = beta == T(0) ? T(0) : beta * c[i];
  }
}

// What multiplies f32 in pieces if the machine has it and it is worth it: to split a number, of which there are
// `operands` in all, costs as much as this many products.
const PanelKernels* split_for(int64_t m, int64_t n, int64_t k, int64_t operands) {
  constexpr int64_t kCost = 48;
  const bool worth_it = std::min({m, n, k}) >= 32 && m * n * k >= std::max<int64_t>(1 << 18, kCost * operands);
  return worth_it && vector_bits() >= 512 ? split_tiles() : nullptr;
}

// Products that our own kernels do better than OpenBLAS. True if this was one.
bool multiplied(int64_t m, int64_t n, int64_t k, float alpha, Operand<float> a, Operand<float> b, float beta, float* c,
                int64_t c_stride, const float* bias) noexcept {
  if (const PanelKernels* split = split_for(m, n, k, (m + n) * k)) {
    panel_gemm(*split, {m, n, k, alpha, a, b, beta, c, c_stride, bias});
    return true;
  }
  if (!prefers_strip_gemm(m, n, k)) return false;
  strip_gemm(m, n, k, alpha, a, b, beta, c, c_stride, bias);
  return true;
}
bool multiplied(int64_t, int64_t, int64_t, double, Operand<double>, Operand<double>, double, double*, int64_t,
                const double*) noexcept {
  return false;
}

// C = alpha A B + beta C, or + bias if it is given.
template <class T>
void tile(int64_t m, int64_t n, int64_t k, T alpha, Operand<T> a, Operand<T> b, T beta, T* c, int64_t c_stride,
          const T* bias = nullptr) noexcept {
  if (m == 0 || n == 0) return;
  if (multiplied(m, n, k, alpha, a, b, beta, c, c_stride, bias)) return;
  if (bias) {
    for (int64_t row = 0; row < m; ++row) std::copy_n(bias, n, c + row * c_stride);
    beta = 1;
  }
  if (k == 0) return scale(m, n, beta, c, c_stride);
  a = mapped(a, m, k, Room::mapped_left);
  b = mapped(b, k, n, Room::mapped_right);
  const OneCallAtATime guard;
  const auto narrow = [](int64_t size) { return static_cast<blasint>(size); };
  blas(a.transposed ? CblasTrans : CblasNoTrans, b.transposed ? CblasTrans : CblasNoTrans, narrow(m), narrow(n),
       narrow(k), alpha, a.data, narrow(a.stride), b.data, narrow(b.stride), beta, c, narrow(c_stride));
}

// How many slices a product is worth: each should take some 20 microseconds at least.
int64_t slices_for(int64_t m, int64_t n, int64_t k) {
  const double flops = flops_of(m, n, k);
  if (flops < 2e6) return 1;
  if (flops < 2e7) return 2;
  return flops < 4e8 ? 4 : 8;
}

int64_t slice_size(int64_t n, int64_t slices) {
  return std::max<int64_t>(16, ((n + slices - 1) / slices + 15) / 16 * 16);
}

// A weight's gradient is few numbers that are long sums: what is cut is not the result but the sum.
template <class T>
void long_sums(int64_t m, int64_t n, int64_t k, T alpha, Operand<T> a, Operand<T> b, T beta, T* c, int64_t c_stride,
               int64_t pieces) noexcept {
  const int64_t size = m * n, depth = (k / pieces + 31) / 32 * 32;
  T* partial = scratch<T>(Room::partial_products, (pieces - 1) * size);
  parallel_for(pieces, 1, [=](int64_t first, int64_t last) {
    for (int64_t i = first; i < last; ++i) {
      const int64_t from = std::min(k, i * depth), to = i + 1 == pieces ? k : std::min(k, from + depth);
      const Operand<T> rows = columns_from(a, from), columns = rows_from(b, from);
      if (i == 0) {
        tile(m, n, to - from, alpha, rows, columns, beta, c, c_stride);
      } else {
        tile(m, n, to - from, alpha, rows, columns, T(0), partial + (i - 1) * size, n);
      }
    }
  });
  parallel_for(m, grain_for(n * pieces, 1 << 15), [=](int64_t first, int64_t last) {
    for (int64_t i = 0; i + 1 < pieces; ++i) {
      const T* sums = partial + i * size;
      if (c_stride == n) {
        add_to(sums + first * n, c + first * n, (last - first) * n);
      } else {
        for (int64_t row = first; row < last; ++row) add_to(sums + row * n, c + row * c_stride, n);
      }
    }
  });
}

template <class T>
void sliced(int64_t m, int64_t n, int64_t k, T alpha, Operand<T> a, Operand<T> b, T beta, T* c, int64_t c_stride,
            const T* bias) noexcept {
  constexpr int64_t kMost = 256 * 256;  // numbers of a result whose sums are cut; partial sums take three times that
  const int64_t slices = slices_for(m, n, k);
  if (slices > 1 && !bias && 2 * k >= 3 * std::max(m, n) && m * n <= kMost) {
    const int64_t pieces = std::min(slices, 1 + 3 * kMost / (m * n));
    return long_sums(m, n, k, alpha, a, b, beta, c, c_stride, pieces);
  }
  if (multiplied(m, n, k, alpha, a, b, beta, c, c_stride, bias)) return;
  a = mapped(a, m, k, Room::mapped_left);
  b = mapped(b, k, n, Room::mapped_right);
  const auto piece = [=](int64_t row, int64_t rows, int64_t column, int64_t columns) {
    tile(rows, columns, k, alpha, rows_from(a, row), columns_from(b, column), beta, c + row * c_stride + column,
         c_stride, bias ? bias + column : nullptr);
  };
  if (m >= n) {
    parallel_for(m, slice_size(m, slices), [&](int64_t first, int64_t last) { piece(first, last - first, 0, n); });
  } else {
    parallel_for(n, slice_size(n, slices), [&](int64_t first, int64_t last) { piece(0, m, first, last - first); });
  }
}

template <class T>
void batched(int64_t batch, int64_t m, int64_t n, int64_t k, Operand<T> a, const int64_t* a_offsets, Operand<T> b,
             const int64_t* b_offsets, T* c) noexcept {
  const auto one = [=](int64_t i) { return Operand<T>{a.data + a_offsets[i], a.stride, a.transposed}; };
  const auto other = [=](int64_t i) { return Operand<T>{b.data + b_offsets[i], b.stride, b.transposed}; };
  if (batch == 1) return sliced<T>(m, n, k, 1, one(0), other(0), 0, c, n, nullptr);
  parallel_for(batch, grain_for(m * n * k, 1 << 19), [=](int64_t first, int64_t last) {
    for (int64_t i = first; i < last; ++i) tile<T>(m, n, k, 1, one(i), other(i), 0, c + i * m * n, n);
  });
}

// What multiplies m rows with the same right operand in panels, if there is something better at it than strips.
const PanelKernels* panels_for(int64_t m, int64_t n, int64_t k, Factors factors) {
  if (k == 0) return nullptr;
  return factors == Factors::bf16 ? bf16_panels() : split_for(m, n, k, m * k);
}

}  // namespace

void gemm_tile(int64_t m, int64_t n, int64_t k, float alpha, Operand<float> a, Operand<float> b, float beta, float* c,
               int64_t c_stride, Factors factors) noexcept {
  if (factors == Factors::bf16) return bf16_gemm(m, n, k, alpha, a, b, beta, c, c_stride, nullptr);
  tile(m, n, k, alpha, a, b, beta, c, c_stride);
}
void gemm_tile(int64_t m, int64_t n, int64_t k, double alpha, Operand<double> a, Operand<double> b, double beta,
               double* c, int64_t c_stride, Factors) noexcept {
  tile(m, n, k, alpha, a, b, beta, c, c_stride);
}

RightOperand<float> lay_out(int64_t m, int64_t n, int64_t k, Operand<float> b, Factors factors, Room room) noexcept {
  RightOperand<float> right{n, k, b, factors};
  if (const PanelKernels* kernels = panels_for(m, n, k, factors)) {
    uint16_t* panels = aligned_scratch<uint16_t>(room, panels_size(*kernels, n, k));
    if (pack_panels(*kernels, n, k, b, panels)) {
      right.kernels = kernels;
      right.panels = panels;
      return right;
    }
  }
  if (prefers_strip_gemm(m, n, k))
    right.strips = pack_strips(n, k, b, aligned_scratch<float>(room, strips_size(n, k)), factors).data;
  return right;
}
RightOperand<double> lay_out(int64_t, int64_t n, int64_t k, Operand<double> b, Factors factors, Room) noexcept {
  return {n, k, b, factors};
}

bool each_for_itself(int64_t numbers) noexcept {
  constexpr int64_t kFew = 1 << 17;  // of all threads
  return numbers * threads() <= kFew;
}

bool lays_out(int64_t m, int64_t n, int64_t k, Operand<float>, Factors factors) noexcept {
  return panels_for(m, n, k, factors) || prefers_strip_gemm(m, n, k);
}
bool lays_out(int64_t, int64_t, int64_t, Operand<double>, Factors) noexcept { return false; }

void gemm_tile(int64_t m, int64_t n, int64_t k, float alpha, Operand<float> a, const RightOperand<float>& b, float beta,
               float* c, int64_t c_stride) noexcept {
  if (b.panels) {
    multiply_panels({b.kernels, b.panels, b.n, b.k}, {m, n, k, alpha, a, b.b, beta, c, c_stride, nullptr});
  } else if (b.strips) {
    multiply_strips(m, n, k, alpha, a, {b.strips, b.n, b.k, b.factors}, beta, c, c_stride);
  } else {
    gemm_tile(m, n, k, alpha, a, b.b, beta, c, c_stride, b.factors);
  }
}
void gemm_tile(int64_t m, int64_t n, int64_t k, double alpha, Operand<double> a, const RightOperand<double>& b,
               double beta, double* c, int64_t c_stride) noexcept {
  tile(m, n, k, alpha, a, b.b, beta, c, c_stride);
}

int64_t rows_at_a_time(int64_t m, int64_t n, int64_t k) noexcept {
  constexpr int64_t kFewest = 128, kLargest = 1 << 20, kKept = 1 << 18;
  if (m < kFewest || n * k > kLargest) return 0;
  const int64_t least = n * k > kKept ? 128 : 32;  // where B does not stay in the cache beside them: fewer rounds
  const int64_t most = std::min(std::max(least, grain_for(n, 1 << 14, 32)), slice_size(m, slices_for(m, n, k)));
  const int64_t pairs = (m + 2 * most - 1) / (2 * most);  // about as many for either of two threads
  return slice_size(m, 2 * pairs);
}

void gemm(int64_t m, int64_t n, int64_t k, float alpha, Operand<float> a, Operand<float> b, float beta, float* c,
          int64_t c_stride, const float* bias, Factors factors) noexcept {
  if (factors == Factors::bf16) return bf16_gemm(m, n, k, alpha, a, b, beta, c, c_stride, bias);
  sliced(m, n, k, alpha, a, b, beta, c, c_stride, bias);
}
void gemm(int64_t m, int64_t n, int64_t k, double alpha, Operand<double> a, Operand<double> b, double beta, double* c,
          int64_t c_stride, const double* bias, Factors) noexcept {
  sliced(m, n, k, alpha, a, b, beta, c, c_stride, bias);
}

void gemm_batch(int64_t batch, int64_t m, int64_t n, int64_t k, Operand<float> a, const int64_t* a_offsets,
                Operand<float> b, const int64_t* b_offsets, float* c, Factors factors) noexcept {
  if (factors == Factors::bf16) return bf16_gemm_batch(batch, m, n, k, a, a_offsets, b, b_offsets, c);
  batched(batch, m, n, k, a, a_offsets, b, b_offsets, c);
}
void gemm_batch(int64_t batch, int64_t m, int64_t n, int64_t k, Operand<double> a, const int64_t* a_offsets,
                Operand<double> b, const int64_t* b_offsets, double* c, Factors) noexcept {
  batched(batch, m, n, k, a, a_offsets, b, b_offsets, c);
}

}  // namespace mixtape::kernels
