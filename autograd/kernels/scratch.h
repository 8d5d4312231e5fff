#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace mixtape::kernels {

/// Working memory of the calling thread, kept from call to call and only ever grown. A slot's memory is valid until the
/// next call for it on the same thread; contents are unspecified.
template <class T>
T* scratch(int slot, int64_t elements) {
  constexpr int kSlots = 14;
  thread_local std::vector<T> slots[kSlots];
  std::vector<T>& memory = slots[slot];
  if (static_cast<int64_t>(memory.size()) < elements) memory.resize(static_cast<size_t>(elements));
  return memory.data();
}

/// The same, from the start of a cache line on.
template <class T>
T* aligned_scratch(int slot, int64_t elements) {
  constexpr int64_t kLine = 64 / static_cast<int64_t>(sizeof(T));
  T* room = scratch<T>(slot, elements + kLine);
  const auto past = static_cast<int64_t>(reinterpret_cast<uintptr_t>(room) / sizeof(T)) % kLine;
  return room + (kLine - past) % kLine;
}

}  // namespace mixtape::kernels
