#pragma once

#include <atomic>
#include <cstdint>

namespace mixtape::kernels {

/// The number of compute threads; by default that of the processors.
int threads();
void set_threads(int count);

/// Calls body(context, chunk) for every chunk in [0, chunks) on all compute threads, and waits. Runs inline if there is
/// one chunk or one thread, inside a loop, and on any thread but the first that ever started a loop.
void run_chunks(int64_t chunks, void (*body)(const void* context, int64_t chunk), const void* context) noexcept;

/// Calls f(first, last) on pieces of [0, n) of `grain` elements (the last one shorter), in parallel. The cuts depend on
/// n and grain only: a kernel that sums within its pieces gives the same bits on any number of threads.
template <class F>
void parallel_for(int64_t n, int64_t grain, const F& f) noexcept {
  if (n <= 0) return;
  struct Context {
    const F& f;
    int64_t n, grain;
  } context{f, n, grain};
  run_chunks((n + grain - 1) / grain,
             [](const void* pointer, int64_t chunk) {
               const Context& c = *static_cast<const Context*>(pointer);
               const int64_t first = chunk * c.grain;
               const int64_t last = first + c.grain < c.n ? first + c.grain : c.n;
               c.f(first, last);
             },
             &context);
}

/// What all pieces of a loop share, prepared once before the loop, or by each thread before its first piece where that
/// is faster than waiting for all threads and fetching it from other cores' caches.
template <class T>
class PreparedForLoop {
 public:
  /// prepare() returns a T. It is called here unless each thread is to call it.
  template <class Prepare>
  PreparedForLoop(bool per_thread, const Prepare& prepare) : id_(per_thread ? ++count_ : 0) {
    if (!per_thread) shared_ = prepare();
  }
  PreparedForLoop(const PreparedForLoop&) = delete;
  PreparedForLoop& operator=(const PreparedForLoop&) = delete;

  /// The calling thread's, until it calls get() of another PreparedForLoop<T>.
  template <class Prepare>
  const T& get(const Prepare& prepare) const {
    if (id_ == 0) return shared_;
    if (prepared_id_ != id_) own_ = prepare();
    prepared_id_ = id_;
    return own_;
  }

 private:
  static inline std::atomic<int64_t> count_ = 0;
  static inline thread_local int64_t prepared_id_ = 0;
  static inline thread_local T own_{};
  const int64_t id_;  // 0: shared
  T shared_{};
};

/// Ordered accumulation: pieces of a loop that add to the same memory in a fixed order, so that sums do not depend on
/// the threads. The first waits until `position` pieces have added, the second counts one more. A piece may only wait
/// for pieces that began before it.
void wait_for_order(int32_t& added, int32_t position) noexcept;
void advance_order(int32_t& added) noexcept;

/// The grain at which a piece costs about `work` if an element costs `cost`; a multiple of `multiple`.
constexpr int64_t grain_for(int64_t cost, int64_t work = int64_t{1} << 15, int64_t multiple = 1) {
  const int64_t elements = work / (cost > 0 ? cost : 1);
  return (elements / multiple + 1) * multiple;
}

}  // namespace mixtape::kernels
