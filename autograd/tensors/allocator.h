#pragma once

#include <cstdint>
#include <string>

namespace mixtape {

/// Where tensor memory stands, in bytes.
struct MemoryStatistics {
  int64_t live = 0;           ///< in use by tensors now
  int64_t live_peak = 0;      ///< the most that was ever in use
  int64_t resident = 0;       ///< held from the system: live, and freed blocks waiting to be used again
  int64_t resident_peak = 0;  ///< the most that was ever held
  int64_t cap = 0;            ///< resident never exceeds this
  int64_t system_calls = 0;   ///< how often the system was asked for memory or given some back
};

/// The memory of all tensors comes from one caching allocator: a freed block is used again instead of going back to the
/// system, because the first touch of a fresh page costs far more than the arithmetic done on it. A training step of
/// fixed shape therefore asks the system for nothing once it is warm.
///
/// The cache has a hard cap. Unless one is set, it is 25 % (at least 4 MiB) above the peak of what tensors used at one
/// time; before the cap would be passed, the pages of free blocks are given back. Only where live blocks leave so many
/// holes of less than a page that this does not suffice does such a cap grow; a set one never does.
MemoryStatistics memory_statistics();

/// One line: `memory: 120.5 MiB live (peak 310.2), 340.0 MiB resident (peak 360.1, cap 387.8)`.
std::string to_string(const MemoryStatistics& statistics);

/// Sets the cap in bytes; 0 returns to the default. An allocation that would need more than a set cap throws.
void set_memory_cap(int64_t bytes);

/// Gives back to the system all that is cached.
void release_cached_memory();

/// A block of at least `bytes` bytes, aligned to 64. Safe to call from any thread. Throws Error when memory is
/// exhausted.
void* allocate(int64_t bytes);

/// Returns a block of allocate(). Safe to call from any thread.
void deallocate(void* block) noexcept;

}  // namespace mixtape
