#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace mixtape::kernels {

/// What scratch memory is for. Each use has a room of its own, so that a function may call any other but itself while
/// it uses one.
enum class Room : uint8_t {
  left_offsets,  // batches of products
  right_offsets,
  mapped_left,  // operands of a product, once numbers have gone through its map
  mapped_right,
  mapped_panel,
  shared_panels,  // operands as the kernels of products take them: all threads', and this thread's
  own_panels,
  strips,
  right_of_rows,  // gemm_by_rows
  product_of_rows,
  product_block,     // products through a slope
  partial_products,  // sums cut into pieces
  partial_sums,
  drawn_words,  // dropout
  convolution_windows,
  first_tasks,  // attention
  careful_heads,
  careful_scores,
  scores,
  score_gradients,
  dropped_weights,
  scaled_keys,
  keys,
  scoring_keys,
  values,
  key_gradients,
  value_gradients,
  output_dots,
  turns,
  count,
};

/// Working memory of the calling thread, kept from call to call and only ever grown. A room's memory is valid until the
/// next call for it on the same thread; contents are unspecified.
template <class T>
T* scratch(Room room, int64_t elements) {
  thread_local std::array<std::vector<T>, static_cast<size_t>(Room::count)> rooms;
  std::vector<T>& memory = rooms[static_cast<size_t>(room)];
  if (static_cast<int64_t>(memory.size()) < elements) memory.resize(static_cast<size_t>(elements));
  return memory.data();
}

/// The same, from the start of a cache line on.
template <class T>
T* aligned_scratch(Room room, int64_t elements) {
  constexpr int64_t kLine = 64 / static_cast<int64_t>(sizeof(T));
  T* memory = scratch<T>(room, elements + kLine);
  const auto past = static_cast<int64_t>(reinterpret_cast<uintptr_t>(memory) / sizeof(T)) % kLine;
  return memory + (kLine - past) % kLine;
}

}  // namespace mixtape::kernels
