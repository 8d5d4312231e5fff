#include "autograd/kernels/parallel.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <limits>
#include <mutex>
#include <set>
#include <thread>
#include <utility>
#include <vector>

using namespace mixtape::kernels;

namespace {

struct Threads {
  explicit Threads(int count) { set_threads(count); }
  ~Threads() { set_threads(0); }
};

using Pieces = std::set<std::pair<int64_t, int64_t>>;

Pieces pieces_of(int64_t n, int64_t grain) {
  Pieces pieces;
  std::mutex mutex;
  parallel_for(n, grain, [&](int64_t first, int64_t last) {
    const std::lock_guard lock(mutex);
    CHECK(pieces.emplace(first, last).second);
  });
  return pieces;
}

// Who works on 64 pieces that take a while each.
std::set<std::thread::id> workers() {
  std::set<std::thread::id> ids;
  std::mutex mutex;
  parallel_for(64, 1, [&](int64_t, int64_t) {
    {
      const std::lock_guard lock(mutex);
      ids.insert(std::this_thread::get_id());
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  });
  return ids;
}

}  // namespace

TEST_CASE("parallel_for: cuts depend on the size and the grain only") {
  for (int count : {1, 2, 3, 5}) {
    const Threads threads(count);
    CHECK(pieces_of(0, 4).empty());
    CHECK(pieces_of(-1, 4).empty());
    CHECK(pieces_of(1, 4) == Pieces{{0, 1}});
    CHECK(pieces_of(4, 4) == Pieces{{0, 4}});
    CHECK(pieces_of(10, 4) == Pieces{{0, 4}, {4, 8}, {8, 10}});
    CHECK(pieces_of(1000, 1).size() == 1000);
  }
}

TEST_CASE("parallel_for: uses as many threads as were set") {
  CHECK(threads() >= 1);
  {
    const Threads three(3);
    CHECK(threads() == 3);
    CHECK(workers().size() == 3);
  }
  const Threads one(1);
  CHECK(workers() == std::set{std::this_thread::get_id()});
}

TEST_CASE("parallel_for: runs inline inside a loop and on another thread") {
  const Threads three(3);
  CHECK(workers().size() == 3);  // this thread owns the loops from here on at the latest
  std::atomic<int> inner{0}, foreign{0};
  parallel_for(6, 1, [&](int64_t, int64_t) {
    const auto self = std::this_thread::get_id();
    parallel_for(10, 1, [&](int64_t, int64_t) {
      ++inner;
      if (std::this_thread::get_id() != self) ++foreign;
    });
  });
  CHECK(inner == 60);
  CHECK(foreign == 0);
  std::set<std::thread::id> ids;
  std::thread other([&] { ids = workers(); });
  const auto other_id = other.get_id();
  other.join();
  CHECK(ids == std::set{other_id});
}

TEST_CASE("parallel_for: every piece once, loop after loop, whatever the number of threads does between") {
  std::vector<std::atomic<int>> calls(40);
  for (int loop = 1; loop <= 5000; ++loop) {
    const Threads threads(1 + loop % 7);
    parallel_for(40, 1, [&](int64_t first, int64_t) { ++calls[static_cast<size_t>(first)]; });
    if (loop % 1000 == 0) std::this_thread::sleep_for(std::chrono::milliseconds(3));  // long enough to fall asleep
    REQUIRE(std::all_of(calls.begin(), calls.end(), [&](const std::atomic<int>& count) { return count == loop; }));
  }
}

TEST_CASE("PreparedForLoop: prepared once, or by each thread before its first piece, and again for the next loop") {
  for (int count : {1, 3}) {
    const Threads threads(count);
    for (int loop = 0; loop < 100; ++loop) {
      const bool by_each_thread = loop % 2 == 0;
      std::atomic<int> made{0}, wrong{0};
      const auto make = [&] { return loop + 1000 * ++made; };
      const PreparedForLoop<int> prepared(by_each_thread, make);
      CHECK(made == (by_each_thread ? 0 : 1));
      parallel_for(50, 1, [&](int64_t, int64_t) {
        const int mine = prepared.get(make);
        if (mine % 1000 != loop || mine != prepared.get([] { return -1; })) ++wrong;
      });
      CHECK(wrong == 0);
      CHECK(made >= 1);
      CHECK(made <= (by_each_thread ? count : 1));
    }
  }
}

TEST_CASE("run_chunks: no chunks, no call") {
  const Threads three(3);
  int calls = 0;
  run_chunks(
      0, [](const void* pointer, int64_t) { ++*static_cast<int*>(const_cast<void*>(pointer)); }, &calls);
  CHECK(calls == 0);
}

TEST_CASE("parallel_for: numbers too small to be normal are 0 inside, and themselves outside") {
  volatile float smallest = std::numeric_limits<float>::min();
  for (int count : {1, 3}) {
    const Threads threads(count);
    std::atomic<int> zeros{0};
    parallel_for(12, 1, [&](int64_t, int64_t) { zeros += smallest / 4 == 0; });
    CHECK(zeros == 12);
    CHECK(smallest / 4 > 0);
  }
}

TEST_CASE("grain_for: about the given work, in multiples") {
  CHECK(grain_for(1, 100) == 101);
  CHECK(grain_for(10, 100) == 11);
  CHECK(grain_for(1000, 100) == 1);
  CHECK(grain_for(0, 100) == 101);
  CHECK(grain_for(1, 100, 64) == 128);
  CHECK(grain_for(1000, 100, 64) == 64);
}
