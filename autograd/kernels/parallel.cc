#include "autograd/kernels/parallel.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <memory>
#include <system_error>
#include <thread>
#include <vector>

#if defined(__SSE2__)
#include <xmmintrin.h>
#endif
#if defined(__linux__)
#include <sched.h>
#endif

namespace mixtape::kernels {
namespace {

std::atomic<int> thread_count{0};
std::atomic<bool> owner_exists{false};
thread_local bool is_owner = false;
thread_local bool in_loop = false;

// Arithmetic on denormal numbers is a hundred times slower, and training has no use for them.
class FlushDenormals {
 public:
#if defined(__SSE2__)
  FlushDenormals() : before_(_mm_getcsr()) { _mm_setcsr(before_ | 0x8040); }
  ~FlushDenormals() { _mm_setcsr(before_); }

 private:
  unsigned before_;
#endif
};

// Spins until done(), for about as long as waking a thread through the system takes. Returns done().
template <class Done>
bool spin_until(const Done& done) {
  constexpr auto kLongest = std::chrono::microseconds(100);
  const auto start = std::chrono::steady_clock::now();
  do {
    for (int i = 0; i < 32; ++i) {
      if (done()) return true;
#if defined(__SSE2__)
      _mm_pause();
#endif
    }
  } while (std::chrono::steady_clock::now() - start < kLongest);
  return done();
}

int processors() {
  static const int count = std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
  return count;
}

// The processor of the calling thread, or -1.
int current_processor() {
#if defined(__linux__)
  return sched_getcpu();
#else
  return -1;
#endif
}

// Moves the calling thread away from this processor. The scheduler may leave a thread that starts or wakes on a busy
// processor there for a tenth of a second.
void leave([[maybe_unused]] int processor) {
#if defined(__linux__)
  cpu_set_t all;
  if (processor < 0 || processor >= CPU_SETSIZE || current_processor() != processor) return;
  if (sched_getaffinity(0, sizeof all, &all) != 0) return;
  cpu_set_t others = all;
  CPU_CLR(static_cast<size_t>(processor), &others);
  if (CPU_COUNT(&others) == 0 || sched_setaffinity(0, sizeof others, &others) != 0) return;
  sched_setaffinity(0, sizeof all, &all);
#endif
}

// The threads beside the one that owns the loops. Each runs the chunks of its own range, so that it finds the same rows
// in its cache from loop to loop, and then takes chunks that are left in the others' ranges.
class Pool {
 public:
  static constexpr int kMaxThreads = 1024;

  Pool() = default;
  Pool(const Pool&) = delete;
  Pool& operator=(const Pool&) = delete;
  ~Pool() {
    stop_ = true;
    announce();
    for (std::thread& worker : workers_) worker.join();
  }

  void run(int count, int64_t chunks, void (*body)(const void* context, int64_t chunk), const void* context) {
    count = start(count);
    job_ = {body, context, count, count <= processors() ? current_processor() : -1};
    for (int i = 0; i < count; ++i) {
      range(i).next.store(chunks * i / count, std::memory_order_relaxed);
      range(i).end = chunks * (i + 1) / count;
    }
    open_ = true;
    announce();
    take_part(0);
    // A thread that comes later finds the loop closed; one that came before is counted as active.
    open_ = false;
    const auto all_done = [this] { return active_.load() == 0; };
    while (!spin_until(all_done)) std::this_thread::yield();
  }

 private:
  struct Job {
    void (*body)(const void* context, int64_t chunk) = nullptr;
    const void* context = nullptr;
    int count = 0;
    int processor = -1;  // of the thread that runs the loop, if each thread can have its own
  };
  struct alignas(64) Range {
    std::atomic<int64_t> next{0};
    int64_t end = 0;
  };

  Range& range(int thread) { return ranges_[static_cast<size_t>(thread)]; }

  // Starts missing threads and returns how many there are, including the caller: fewer where the system refuses more.
  int start(int count) {
    count = std::min(count, max_threads_);
    try {
      while (static_cast<int>(workers_.size()) < count - 1)
        workers_.emplace_back(&Pool::work, this, static_cast<int>(workers_.size()) + 1, generation_.load());
    } catch (const std::system_error&) {
      count = max_threads_ = static_cast<int>(workers_.size()) + 1;
    }
    return count;
  }

  void announce() {
    ++generation_;
    generation_.notify_all();
  }

  void take_part(int self) {
    const FlushDenormals flush;
    in_loop = true;
    for (int i = 0; i < job_.count; ++i) {
      Range& part = range((self + i) % job_.count);
      while (part.next.load(std::memory_order_relaxed) < part.end) {
        const int64_t chunk = part.next.fetch_add(1, std::memory_order_relaxed);
        if (chunk < part.end) job_.body(job_.context, chunk);
      }
    }
    in_loop = false;
  }

  void work(int self, int seen) {
    while (true) {
      if (!spin_until([&] { return generation_.load() != seen; })) generation_.wait(seen);
      if (stop_) return;
      seen = generation_;
      ++active_;
      if (open_ && self < job_.count) {
        leave(job_.processor);
        take_part(self);
      }
      --active_;
    }
  }

  std::vector<std::thread> workers_;
  int max_threads_ = kMaxThreads;
  Job job_;
  std::unique_ptr<Range[]> ranges_ = std::make_unique<Range[]>(kMaxThreads);
  std::atomic<int> generation_{0};
  std::atomic<int> active_{0};
  std::atomic<bool> open_{false};
  std::atomic<bool> stop_{false};
};

bool owns_loops() {
  if (!is_owner && !owner_exists.exchange(true)) is_owner = true;
  return is_owner && !in_loop;
}

}  // namespace

int threads() {
  const int count = thread_count.load(std::memory_order_relaxed);
  return count > 0 ? count : std::min(processors(), Pool::kMaxThreads);
}

void set_threads(int count) { thread_count = std::min(count, Pool::kMaxThreads); }

void run_chunks(int64_t chunks, void (*body)(const void* context, int64_t chunk), const void* context) noexcept {
  const int count = static_cast<int>(std::min<int64_t>(threads(), chunks));
  if (count <= 1 || !owns_loops()) {
    const FlushDenormals flush;
    for (int64_t chunk = 0; chunk < chunks; ++chunk) body(context, chunk);
    return;
  }
  static Pool pool;
  pool.run(count, chunks, body, context);
}

void wait_for_order(int32_t& added, int32_t position) noexcept {
  const std::atomic_ref<int32_t> shared(added);
  const auto is_next = [&] { return shared.load(std::memory_order_acquire) == position; };
  while (!spin_until(is_next)) std::this_thread::yield();
}

void advance_order(int32_t& added) noexcept { std::atomic_ref<int32_t>(added).fetch_add(1, std::memory_order_release); }

}  // namespace mixtape::kernels
