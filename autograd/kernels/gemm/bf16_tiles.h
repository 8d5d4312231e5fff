#pragma once

#include <string>
#include <vector>

#include "autograd/kernels/gemm/panel_gemm.h"

namespace mixtape::kernels {

/// Micro-kernels for operands rounded to bfloat16 (to nearest, ties to even; subnormal numbers count as 0), with sums
/// in f32. SIMD kernels on rounded operands (`f32`) take their place where bfloat16 units are missing or slower.

/// The one in use, or nullptr: `f32`. Instruction sets without AVX-512 that are forced on kernels have `f32` only.
const MicroKernel* bf16_micro_kernel() noexcept;

/// What this machine has of `AMX`, `AVX512_BF16` and `f32`, the fastest first.
std::vector<std::string> bf16_instruction_sets();
/// The one in use.
std::string bf16_instruction_set();
/// Uses one of them; an empty name returns to the fastest. False if the machine does not have it.
bool force_bf16_instruction_set(const std::string& name);

}  // namespace mixtape::kernels
