#include "autograd/kernels/parallel.h"

#include <omp.h>

#include <atomic>

#if defined(__SSE2__)
#include <xmmintrin.h>
#endif

namespace mixtape::kernels {
namespace {

std::atomic<int> thread_count{0};
std::atomic<bool> owner_exists{false};
thread_local bool is_owner = false;

// Denormal numbers cost a hundred times a normal one and mean nothing to training.
class FlushDenormals {
 public:
#if defined(__SSE2__)
  FlushDenormals() : before_(_mm_getcsr()) { _mm_setcsr(before_ | 0x8040); }
  ~FlushDenormals() { _mm_setcsr(before_); }

 private:
  unsigned before_;
#endif
};

bool owns_loops() {
  if (!is_owner && !owner_exists.exchange(true)) is_owner = true;
  return is_owner && !omp_in_parallel();
}

}  // namespace

int threads() {
  const int count = thread_count.load(std::memory_order_relaxed);
  return count > 0 ? count : omp_get_max_threads();
}

void set_threads(int count) { thread_count = count; }

void run_chunks(int64_t chunks, void (*body)(const void* context, int64_t chunk), const void* context) noexcept {
  const int count = threads();
  if (chunks <= 1 || count == 1 || !owns_loops()) {
    const FlushDenormals flush;
    for (int64_t chunk = 0; chunk < chunks; ++chunk) body(context, chunk);
    return;
  }
#pragma omp parallel num_threads(count < chunks ? count : static_cast<int>(chunks))
  {
    const FlushDenormals flush;
#pragma omp for schedule(static)
    for (int64_t chunk = 0; chunk < chunks; ++chunk) body(context, chunk);
  }
}

}  // namespace mixtape::kernels
