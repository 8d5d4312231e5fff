#include "autograd/kernels/gemm/openblas.h"

#include <cblas.h>

#include <mutex>

namespace mixtape::kernels {
namespace {

// Loops over tasks are ours, so OpenBLAS's own threads stay off.
const bool kSingleThreaded = [] {
  openblas_set_num_threads(1);
  return true;
}();

// OpenBLAS built without threads shares its buffers between calls without a lock.
std::unique_lock<std::mutex> lock_if_needed() {
  static const bool needed = openblas_get_parallel() == OPENBLAS_SEQUENTIAL;
  static std::mutex mutex;
  return needed ? std::unique_lock(mutex) : std::unique_lock<std::mutex>();
}

template <class T>
CBLAS_TRANSPOSE order(const Operand<T>& x) {
  return x.transposed ? CblasTrans : CblasNoTrans;
}

blasint narrow(int64_t n) { return static_cast<blasint>(n); }

}  // namespace

void openblas_gemm(const GemmArguments<float>& p) noexcept {
  const auto lock = lock_if_needed();
  cblas_sgemm(CblasRowMajor, order(p.a), order(p.b), narrow(p.m), narrow(p.n), narrow(p.k), p.alpha, p.a.data,
              narrow(p.a.stride), p.b.data, narrow(p.b.stride), p.beta, p.c, narrow(p.c_stride));
}

void openblas_gemm(const GemmArguments<double>& p) noexcept {
  const auto lock = lock_if_needed();
  cblas_dgemm(CblasRowMajor, order(p.a), order(p.b), narrow(p.m), narrow(p.n), narrow(p.k), p.alpha, p.a.data,
              narrow(p.a.stride), p.b.data, narrow(p.b.stride), p.beta, p.c, narrow(p.c_stride));
}

}  // namespace mixtape::kernels
