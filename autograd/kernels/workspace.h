#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace mixtape::kernels {

/// What a workspace is for. Each purpose has its own memory, so a function may call any function but itself while it
/// uses one.
enum class Workspace : uint8_t {
  a_offsets,  // batched products
  b_offsets,
  mapped_a,  // operands after their elementwise function
  mapped_b,
  mapped_panel,
  packed_shared,  // panel_gemm: the operand that all tasks share, and a task's part of the other
  packed_local,
  packed_b,   // simd_gemm
  by_rows_b,  // gemm_by_rows
  by_rows_product,
  slope_product,     // gemm_unary_grad
  partial_products,  // products cut along k
  partial_sums,
  random_words,  // dropout
  convolution_windows,
  attention_tasks,  // attention
  reference_heads,
  reference_scores,
  scores,
  score_gradients,
  dropped_weights,
  scaled_keys,
  packed_keys,
  packed_keys_transposed,
  packed_values,
  key_gradients,
  value_gradients,
  output_dots,
  accumulated_blocks,
  count,
};

struct alignas(64) CacheLine {
  std::byte bytes[64];
};
using Workspaces = std::array<std::vector<CacheLine>, static_cast<size_t>(Workspace::count)>;

/// The calling thread's.
inline Workspaces& workspaces() {
  thread_local Workspaces all;
  return all;
}

/// Memory for `elements` numbers, aligned to a cache line, owned by the calling thread. It is kept from call to call,
/// only ever grows, and is valid until the thread's next call for the same purpose. Its contents are unspecified.
template <class T>
T* workspace(Workspace purpose, int64_t elements) {
  std::vector<CacheLine>& memory = workspaces()[static_cast<size_t>(purpose)];
  const size_t lines = (static_cast<size_t>(elements) * sizeof(T) + sizeof(CacheLine) - 1) / sizeof(CacheLine);
  if (memory.size() < lines) memory.resize(lines);
  return reinterpret_cast<T*>(memory.data());
}

}  // namespace mixtape::kernels
