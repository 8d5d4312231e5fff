#pragma once

#include <atomic>
#include <cstdint>

namespace mixtape::kernels {

/// How many threads the compute loops use; at first the number of processors.
int threads();
void set_threads(int count);

/// Calls body(context, chunk) for every chunk in [0, chunks), on all compute threads, and waits. Runs inline if there
/// is one chunk or one thread, or if called from a thread other than the first that ever started a loop, or inside a
/// loop.
void run_chunks(int64_t chunks, void (*body)(const void* context, int64_t chunk), const void* context) noexcept;

/// Calls f(first, last) on pieces of [0, n) of `grain` elements (the last one shorter), in parallel. Where the cuts lie
/// depends on n and grain only, never on the number of threads: a kernel that adds up within its pieces gives the same
/// bits on any machine size.
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

/// What all pieces of one loop need: made once for all before it or, where that is sooner than to wait for one another
/// and fetch it from each other's caches, by each thread for itself before its first piece.
template <class T>
class Prepared {
 public:
  /// make(): a T. Called here unless each thread is to call it.
  template <class Make>
  Prepared(bool by_each_thread, const Make& make) : id_(by_each_thread ? ++count_ : 0) {
    if (!by_each_thread) for_all_ = make();
  }
  Prepared(const Prepared&) = delete;
  Prepared& operator=(const Prepared&) = delete;

  /// The calling thread's, until it asks another Prepared<T>.
  template <class Make>
  const T& get(const Make& make) const {
    if (id_ == 0) return for_all_;
    if (maker_ != id_) own_ = make();
    maker_ = id_;
    return own_;
  }

 private:
  static inline std::atomic<int64_t> count_ = 0;
  static inline thread_local int64_t maker_ = 0;
  static inline thread_local T own_{};
  const int64_t id_;  // 0: made for all
  T for_all_{};
};

/// For pieces of one loop that add to the same memory in a fixed order: waits until it is turn number `mine`; lets the
/// next one come. A piece must not wait for one that may be begun after it.
void wait_for_turn(int32_t& turn, int32_t mine) noexcept;
void pass_turn(int32_t& turn) noexcept;

/// A grain that gives each piece about `work` units of work when one element costs `cost`, a multiple of `multiple`.
constexpr int64_t grain_for(int64_t cost, int64_t work = int64_t{1} << 15, int64_t multiple = 1) {
  const int64_t elements = work / (cost > 0 ? cost : 1);
  return (elements / multiple + 1) * multiple;
}

}  // namespace mixtape::kernels
