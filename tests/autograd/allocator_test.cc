#include "autograd/tensors/allocator.h"

#include <doctest/doctest.h>
#include <unistd.h>

#include <atomic>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <thread>
#include <vector>

#include "autograd/tensors/error.h"
#include "autograd/tensors/random.h"
#include "autograd/tensors/tensor.h"
#include "tests/sanitizer.h"

using namespace mixtape;

namespace {

constexpr int64_t kMiB = int64_t{1} << 20;

int64_t resident_bytes() {
  std::ifstream file("/proc/self/statm");
  int64_t size = 0, resident = 0;
  file >> size >> resident;
  return resident * sysconf(_SC_PAGESIZE);
}

// Blocks of the allocator, freed at the end, each filled with a byte of its own.
class Blocks {
 public:
  ~Blocks() { clear(); }
  void add(int64_t bytes) {
    void* data = allocate(bytes);
    const auto mark = static_cast<unsigned char>(next_mark_++);
    std::memset(data, mark, static_cast<size_t>(bytes));
    blocks_.push_back({static_cast<unsigned char*>(data), bytes, mark});
  }
  void remove(size_t index) {
    const Block block = blocks_[index];
    intact_ =
        intact_ && (block.bytes == 0 || (block.data[0] == block.mark && block.data[block.bytes - 1] == block.mark));
    deallocate(block.data);
    blocks_[index] = blocks_.back();
    blocks_.pop_back();
  }
  void clear() {
    while (!blocks_.empty()) remove(blocks_.size() - 1);
  }
  size_t size() const { return blocks_.size(); }
  bool intact() const { return intact_; }

 private:
  struct Block {
    unsigned char* data;
    int64_t bytes;
    unsigned char mark;
  };
  std::vector<Block> blocks_;
  unsigned next_mark_ = 0;
  bool intact_ = true;
};

// Starts with nothing cached, and ends without a cap.
struct Fresh {
  Fresh() { release_cached_memory(); }
  ~Fresh() { set_memory_cap(0); }
};

int64_t random_size(Random& random, int64_t most) {
  return static_cast<int64_t>(std::exp(random.uniform(0, std::log(static_cast<double>(most)))));
}

}  // namespace

TEST_CASE("blocks are aligned, apart from each other, and keep their contents") {
  Blocks blocks;
  Random random(1);
  for (int i = 0; i < 2000; ++i) {
    if (blocks.size() > 0 && random.below(2) == 0) {
      blocks.remove(static_cast<size_t>(random.below(static_cast<int64_t>(blocks.size()))));
    } else {
      blocks.add(random.below(5) == 0 ? random.below(3) : random_size(random, 1 << 18));
    }
  }
  blocks.clear();
  CHECK(blocks.intact());
  for (int64_t bytes : {0, 1, 63, 64, 65, 4096, 100'000}) {
    void* data = allocate(bytes);
    CHECK(reinterpret_cast<uintptr_t>(data) % 64 == 0);
    deallocate(data);
  }
}

TEST_CASE("statistics follow what is in use") {
  const MemoryStatistics before = memory_statistics();
  {
    const Tensor x = Tensor::zeros({1000, 1000});
    const MemoryStatistics during = memory_statistics();
    CHECK(during.live >= before.live + 4'000'000);
    CHECK(during.live_peak >= during.live);
    CHECK(during.resident >= during.live);
    CHECK(during.resident_peak >= during.resident);
  }
  CHECK(memory_statistics().live == before.live);
}

TEST_CASE("a repeated pattern asks the system for nothing") {
  const auto step = [] {
    Blocks blocks;
    for (int64_t size = 100; size < 4 * kMiB; size += size / 3) blocks.add(size);
    for (size_t i = 0; i < blocks.size(); i += 2) blocks.remove(i);
    for (int64_t size = 64; size < kMiB; size *= 2) blocks.add(size);
  };
  for (int i = 0; i < 3; ++i) step();
  const MemoryStatistics warm = memory_statistics();
  for (int i = 0; i < 50; ++i) step();
  const MemoryStatistics after = memory_statistics();
  CHECK(after.system_calls == warm.system_calls);
  CHECK(after.resident == warm.resident);
}

TEST_CASE("what is cached can be given back") {
  { const Tensor x = Tensor::ones({16 * kMiB}); }
  const int64_t before = memory_statistics().resident, measured_before = resident_bytes();
  release_cached_memory();
  CHECK(memory_statistics().resident <= before - 60 * kMiB);
  if (!tests::kAddressSanitizer) CHECK(resident_bytes() <= measured_before - 60 * kMiB);
  const Tensor again = Tensor::ones({16 * kMiB});
  CHECK(memory_statistics().resident >= 64 * kMiB);
  CHECK(again.data<float>()[16 * kMiB - 1] == 1);
}

TEST_CASE("the set cap holds over a thousand random patterns, by our count and the system's") {
  const Fresh fresh;
  const int64_t base = memory_statistics().live, measured_base = resident_bytes() - memory_statistics().resident;
  const int64_t cap = base + 8 * kMiB;
  set_memory_cap(cap);
  Random random(2);
  int64_t most = 0, most_measured = 0, refused = 0;
  bool intact = true;
  for (int pattern = 0; pattern < 1000; ++pattern) {
    Blocks blocks;
    const int64_t largest = random_size(random, 8 * kMiB) + 16;
    for (int i = 0; i < 40; ++i) {
      if (blocks.size() > 0 && random.below(3) == 0) {
        blocks.remove(static_cast<size_t>(random.below(static_cast<int64_t>(blocks.size()))));
        continue;
      }
      try {
        blocks.add(random_size(random, largest));
      } catch (const Error&) {
        ++refused;
      }
      most = std::max(most, memory_statistics().resident);
    }
    if (pattern % 10 == 0) most_measured = std::max(most_measured, resident_bytes());
    blocks.clear();
    intact = intact && blocks.intact();
  }
  CHECK(intact);
  CHECK(most <= cap);
  CHECK(refused > 0);
  if (!tests::kAddressSanitizer) CHECK(most_measured - measured_base <= cap + 2 * kMiB);
}

TEST_CASE("the cap that is not set holds, too, with blocks of all sizes that leave holes") {
  const Fresh fresh;
  Random random(3);
  double worst = 0;
  for (int round = 0; round < 30; ++round) {
    Blocks blocks;
    for (int i = 0; i < 600; ++i) {
      blocks.add(random_size(random, kMiB));
      const MemoryStatistics now = memory_statistics();
      worst = std::max(worst, static_cast<double>(now.resident) / static_cast<double>(now.cap));
      if (i % 3 == 2) blocks.remove(static_cast<size_t>(random.below(static_cast<int64_t>(blocks.size()))));
    }
  }
  CHECK(worst <= 1);
}

TEST_CASE("where small holes serve no large block, the cap that is not set grows, and no further than these") {
  const Fresh fresh;
  Blocks blocks;
  for (int i = 0; i < 6000; ++i) blocks.add(5000 + i % 700);
  for (size_t i = 3000; i-- > 0;) blocks.remove(2 * i);  // every second one
  for (int i = 0; i < 8; ++i) {
    blocks.add(2 * kMiB);
    const MemoryStatistics now = memory_statistics();
    CHECK(now.resident <= now.cap);
    CHECK(now.cap <= now.live_peak + std::max(now.live_peak / 4, 3000 * int64_t{6000}));
  }
}

TEST_CASE("an allocation beyond the cap throws one line, and the rest goes on") {
  const Fresh fresh;
  const int64_t cap = memory_statistics().resident + 2 * kMiB;
  set_memory_cap(cap);
  CHECK(memory_statistics().cap == cap);
  std::string message;
  try {
    Tensor::zeros({8 * kMiB});
  } catch (const Error& error) {
    message = error.what();
  }
  CHECK(message.starts_with("allocate: "));
  CHECK(message.find(" more bytes would pass the memory cap of " + std::to_string(cap) + " bytes (") !=
        std::string::npos);
  CHECK(message.find('\n') == std::string::npos);
  CHECK(Tensor::ones({1000}).values().back() == 1);
  CHECK(memory_statistics().resident <= cap);
  set_memory_cap(0);
  CHECK(Tensor::ones({8 * kMiB}).elements() == 8 * kMiB);
}

TEST_CASE("a small block fits under a small cap, whatever lies cached") {
  const Fresh fresh;
  { const Tensor large = Tensor::ones({32 * kMiB}); }
  const int64_t cap = memory_statistics().live + 2 * kMiB;
  set_memory_cap(cap);
  for (int i = 0; i < 3; ++i) {
    const Tensor small = Tensor::ones({1000}), medium = Tensor::ones({200'000});
    CHECK(memory_statistics().resident <= cap);
  }
}

TEST_CASE("more than any memory is an error, and changes no statistics") {
  const MemoryStatistics before = memory_statistics();
  for (int64_t bytes : {int64_t{-1}, int64_t{1} << 50, int64_t{1} << 60, INT64_MAX})
    CHECK_THROWS_AS(allocate(bytes), Error);
  const MemoryStatistics after = memory_statistics();
  CHECK(after.live == before.live);
  CHECK(after.live_peak == before.live_peak);
  CHECK(after.resident == before.resident);
  CHECK(after.cap == before.cap);
}

TEST_CASE("many threads allocate and free, each other's blocks, too") {
  const int64_t before = memory_statistics().live;
  std::atomic<void*> exchange[64] = {};
  std::atomic<int> torn{0};
  std::vector<std::thread> threads;
  for (uint64_t seed = 0; seed < 4; ++seed) {
    threads.emplace_back([&, seed] {
      Random random(seed);
      for (int i = 0; i < 5000; ++i) {
        const int64_t bytes = 16 + random_size(random, 20'000);
        void* mine = allocate(bytes);
        std::memset(mine, static_cast<int>(seed), static_cast<size_t>(bytes));
        std::memcpy(mine, &bytes, sizeof(bytes));
        void* other = exchange[random.below(64)].exchange(mine);
        if (!other) continue;
        int64_t size = 0;
        std::memcpy(&size, other, sizeof(size));
        const auto* data = static_cast<const unsigned char*>(other);
        if (size < 16 || size > 20'016 || data[8] != data[size - 1]) ++torn;
        deallocate(other);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (auto& slot : exchange)
    if (slot) deallocate(slot);
  CHECK(torn == 0);
  CHECK(memory_statistics().live == before);
}

TEST_CASE("statistics as a line") {
  MemoryStatistics statistics;
  statistics.live = kMiB;
  statistics.live_peak = 2 * kMiB;
  statistics.resident = 3 * kMiB / 2;
  statistics.resident_peak = 3 * kMiB;
  statistics.cap = 10 * kMiB;
  CHECK(to_string(statistics) == "memory: 1.0 MiB live (peak 2.0), 1.5 MiB resident (peak 3.0, cap 10.0)");
}
