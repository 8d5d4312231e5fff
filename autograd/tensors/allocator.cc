#include "autograd/tensors/allocator.h"

#include <fmt/format.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <mutex>

#include "autograd/tensors/error.h"

#if defined(__SANITIZE_ADDRESS__)
#define MIXTAPE_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define MIXTAPE_ASAN 1
#endif
#endif
#ifdef MIXTAPE_ASAN
#include <sanitizer/asan_interface.h>
#endif

namespace mixtape {
namespace {

constexpr int64_t kAlignment = 64;
constexpr int64_t kHeader = 64;
constexpr int64_t kPage = 4096;
constexpr int64_t kGrowth = int64_t{64} << 20;  // address space is made usable in steps of this size
constexpr int64_t kMost = int64_t{1} << 46;     // half of the address space
constexpr int64_t kLeastSlack = int64_t{4} << 20;

void poison([[maybe_unused]] void* data, [[maybe_unused]] int64_t bytes) {
#ifdef MIXTAPE_ASAN
  ASAN_POISON_MEMORY_REGION(data, static_cast<size_t>(bytes));
#endif
}

void unpoison([[maybe_unused]] void* data, [[maybe_unused]] int64_t bytes) {
#ifdef MIXTAPE_ASAN
  ASAN_UNPOISON_MEMORY_REGION(data, static_cast<size_t>(bytes));
#endif
}

// Stands in front of each block's data; blocks tile the region without gaps, so neighbours are found by address.
struct Block {
  int64_t size;      // header included
  int64_t released;  // bytes of a free block whose pages were given back
  Block* previous;   // the block that ends where this one starts
  Block* next_free;
  Block* previous_free;
  bool free;

  char* start() { return reinterpret_cast<char*>(this); }
  char* end() { return start() + size; }
  void* data() { return start() + kHeader; }
};
static_assert(sizeof(Block) <= kHeader);

// A two-level segregated fit (Masmano et al. 2004, "TLSF"): bins by power of two, eight to each, a bitmap to find the
// first that has a block. One region of address space is reserved up front; neighbouring free blocks merge, so that any
// mix of sizes shares it.
class Allocator {
 public:
  void* allocate(int64_t bytes) {
    if (bytes < 0 || bytes > kMost) fail(fmt::format("allocate: {} bytes are beyond any memory", bytes));
    const int64_t size = (std::max<int64_t>(bytes, 1) + kHeader + kAlignment - 1) / kAlignment * kAlignment;
    const std::lock_guard lock(mutex_);
    const Wanted wanted(wanted_, statistics_.live + size);
    Block* block = take_free(size);
    if (!block) block = extend(size);
    statistics_.live += block->size;
    statistics_.live_peak = std::max(statistics_.live_peak, statistics_.live);
    if (set_cap_ == 0 && statistics_.resident > cap()) forced_ = statistics_.resident;
    statistics_.resident_peak = std::max(statistics_.resident_peak, statistics_.resident);
    unpoison(block->data(), block->size - kHeader);
    return block->data();
  }

  void deallocate(void* data) noexcept {
    const std::lock_guard lock(mutex_);
    Block* block = reinterpret_cast<Block*>(static_cast<char*>(data) - kHeader);
    poison(data, block->size - kHeader);
    statistics_.live -= block->size;
    insert(merge(block));
  }

  MemoryStatistics statistics() {
    const std::lock_guard lock(mutex_);
    MemoryStatistics result = statistics_;
    result.cap = cap();
    return result;
  }

  void set_cap(int64_t bytes) {
    const std::lock_guard lock(mutex_);
    set_cap_ = bytes;
    if (bytes > 0) give_back(statistics_.resident - bytes);
  }

  void release_cached() {
    const std::lock_guard lock(mutex_);
    give_back(statistics_.resident);
  }

 private:
  // Sets what is wanted for the time of one allocation, however it ends.
  class Wanted {
   public:
    Wanted(int64_t& wanted, int64_t bytes) : wanted_(wanted) { wanted_ = bytes; }
    ~Wanted() { wanted_ = 0; }
    Wanted(const Wanted&) = delete;
    Wanted& operator=(const Wanted&) = delete;

   private:
    int64_t& wanted_;
  };

  static constexpr int kSubBins = 8;
  static constexpr int kBins = 48 * kSubBins;

  static int bin_of(int64_t size) {
    const int log = static_cast<int>(std::bit_width(static_cast<uint64_t>(size))) - 1;
    const int sub = static_cast<int>((size >> (log - 3)) & (kSubBins - 1));
    return log * kSubBins + sub;
  }

  int64_t cap() const {
    if (set_cap_ > 0) return set_cap_;
    const int64_t peak = std::max(statistics_.live_peak, wanted_);
    return std::max(peak + std::max(peak / 4, kLeastSlack), forced_);
  }

  void insert(Block* block) noexcept {
    const int bin = bin_of(block->size);
    block->free = true;
    block->previous_free = nullptr;
    block->next_free = bins_[bin];
    if (bins_[bin]) bins_[bin]->previous_free = block;
    bins_[bin] = block;
    used_[bin / 64] |= uint64_t{1} << (bin % 64);
  }

  void remove(Block* block) noexcept {
    const int bin = bin_of(block->size);
    if (block->next_free) block->next_free->previous_free = block->previous_free;
    if (block->previous_free) {
      block->previous_free->next_free = block->next_free;
    } else {
      bins_[bin] = block->next_free;
      if (!bins_[bin]) used_[bin / 64] &= ~(uint64_t{1} << (bin % 64));
    }
    block->free = false;
  }

  // Joins a block that is being freed with its free neighbours.
  Block* merge(Block* block) noexcept {
    if (block != last_) {
      Block* next = reinterpret_cast<Block*>(block->end());
      if (next->free) {
        remove(next);
        absorb(block, next);
      }
    }
    if (block->previous && block->previous->free) {
      Block* previous = block->previous;
      remove(previous);
      absorb(previous, block);
      block = previous;
    }
    return block;
  }

  void absorb(Block* block, Block* next) noexcept {
    block->size += next->size;
    block->released += next->released;
    poison(next, kHeader);
    if (next == last_) {
      last_ = block;
    } else {
      reinterpret_cast<Block*>(block->end())->previous = block;
    }
  }

  Block* find(int64_t size) noexcept {
    const int bin = bin_of(size);
    int tries = 16;
    for (Block* block = bins_[bin]; block && tries > 0; block = block->next_free, --tries)
      if (block->size >= size) return block;
    for (int word = (bin + 1) / 64; word < kBins / 64; ++word) {
      uint64_t bits = used_[word];
      if (word == (bin + 1) / 64) bits &= ~uint64_t{0} << ((bin + 1) % 64);
      if (bits) return bins_[word * 64 + std::countr_zero(bits)];
    }
    return nullptr;
  }

  Block* take_free(int64_t size) {
    Block* block = find(size);
    if (!block) return nullptr;
    // Which of its pages were given back is not known, only how many: at most those that `size` bytes reach into.
    const auto touched = [&] { return std::min(block->released, (size + kHeader) / kPage * kPage + 2 * kPage); };
    make_room(touched);
    remove(block);
    const int64_t rest_released = block->released - touched();
    statistics_.resident += touched();
    block->released = 0;
    split(block, size, rest_released);
    return block;
  }

  void split(Block* block, int64_t size, int64_t released) noexcept {
    const int64_t rest = block->size - size;
    if (rest < 2 * kHeader) return;
    unpoison(block->start() + size, kHeader);
    Block* tail = new (block->start() + size) Block{rest, released, block, nullptr, nullptr, true};
    block->size = size;
    if (block == last_) {
      last_ = tail;
    } else {
      reinterpret_cast<Block*>(tail->end())->previous = tail;
    }
    insert(tail);
  }

  // Takes `size` bytes from the end of the region, together with a free block that may stand there.
  Block* extend(int64_t size) {
    if (!region_) reserve();
    Block* tail = last_ && last_->free ? last_ : nullptr;
    const int64_t growth = size - (tail ? tail->size : 0);
    const auto touched = [&] { return growth + (tail ? tail->released : 0); };
    make_room(touched);
    make_usable(growth);
    unpoison(top_, growth);
    statistics_.resident += touched();
    if (tail) {
      remove(tail);
      tail->size = size;
      tail->released = 0;
    } else {
      last_ = new (top_) Block{size, 0, last_, nullptr, nullptr, false};
    }
    top_ += growth;
    return last_;
  }

  // Gives pages of free blocks back until needed() more bytes fit under the cap; this may change what is needed. Throws
  // if they cannot.
  template <class Needed>
  void make_room(const Needed& needed) {
    while (needed() > 0 && statistics_.resident + needed() > cap()) {
      if (give_back(statistics_.resident + needed() - cap()) == 0) break;
    }
    if (needed() > 0 && set_cap_ > 0 && statistics_.resident + needed() > set_cap_) {
      fail(fmt::format("allocate: {} more bytes would pass the memory cap of {} bytes ({} in use)", needed(), set_cap_,
                       statistics_.live));
    }
  }

  // Returns how many bytes it could give back, at most a block more than asked for.
  int64_t give_back(int64_t bytes) noexcept {
    int64_t given = 0;
    for (int bin = kBins - 1; bin >= 0 && given < bytes; --bin) {
      for (Block* block = bins_[bin]; block && given < bytes; block = block->next_free) {
        const auto first = (reinterpret_cast<uintptr_t>(block->data()) + kPage - 1) / kPage * kPage;
        const auto last = reinterpret_cast<uintptr_t>(block->end()) / kPage * kPage;
        if (last <= first) continue;
        const auto pages = static_cast<int64_t>(last - first);
        if (pages <= block->released) continue;
        madvise(reinterpret_cast<void*>(first), static_cast<size_t>(pages), MADV_DONTNEED);
        ++statistics_.system_calls;
        statistics_.resident -= pages - block->released;
        given += pages - block->released;
        block->released = pages;
      }
    }
    return given;
  }

  void reserve() {
    const int64_t memory = static_cast<int64_t>(sysconf(_SC_PHYS_PAGES)) * sysconf(_SC_PAGE_SIZE);
    for (reserved_ = 4 * memory; reserved_ >= kGrowth; reserved_ /= 2) {
      void* region =
          mmap(nullptr, static_cast<size_t>(reserved_), PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
      ++statistics_.system_calls;
      if (region != MAP_FAILED) {
        region_ = usable_ = top_ = static_cast<char*>(region);
        return;
      }
    }
    fail("allocate: the system refuses to reserve address space");
  }

  void make_usable(int64_t growth) {
    const int64_t missing = growth - (usable_ - top_);
    if (missing <= 0) return;
    const int64_t bytes = (missing + kGrowth - 1) / kGrowth * kGrowth;
    const bool fits = bytes <= reserved_ - (usable_ - region_);
    ++statistics_.system_calls;
    if (!fits || mprotect(usable_, static_cast<size_t>(bytes), PROT_READ | PROT_WRITE) != 0) {
      fail(fmt::format("allocate: out of memory with {} bytes in use", statistics_.live));
    }
    poison(usable_, bytes);
    usable_ += bytes;
  }

  std::mutex mutex_;
  MemoryStatistics statistics_;
  int64_t set_cap_ = 0;
  int64_t forced_ = 0;  // what was resident where holes too small to give back left no room under the usual cap
  int64_t wanted_ = 0;  // what will be in use when the allocation under way succeeds
  char* region_ = nullptr;
  int64_t reserved_ = 0;
  char* usable_ = nullptr;
  char* top_ = nullptr;
  Block* last_ = nullptr;
  Block* bins_[kBins] = {};
  uint64_t used_[kBins / 64] = {};
};

Allocator& allocator() {
  static Allocator* instance =
      new Allocator;  // never destroyed: tensors of static lifetime may outlive any order of destruction
  return *instance;
}

}  // namespace

MemoryStatistics memory_statistics() { return allocator().statistics(); }

std::string to_string(const MemoryStatistics& statistics) {
  const auto mib = [](int64_t bytes) { return static_cast<double>(bytes) / (1 << 20); };
  return fmt::format("memory: {:.1f} MiB live (peak {:.1f}), {:.1f} MiB resident (peak {:.1f}, cap {:.1f})",
                     mib(statistics.live), mib(statistics.live_peak), mib(statistics.resident),
                     mib(statistics.resident_peak), mib(statistics.cap));
}

void set_memory_cap(int64_t bytes) { allocator().set_cap(bytes); }
void release_cached_memory() { allocator().release_cached(); }
void* allocate(int64_t bytes) { return allocator().allocate(bytes); }
void deallocate(void* block) noexcept { allocator().deallocate(block); }

}  // namespace mixtape
