#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "autograd/kernels/gemm/gemm.h"

namespace mixtape::kernels {

/// C = alpha A B + beta C, or + bias if it is given (and beta is 0), with every number of A and B rounded to bfloat16
/// (to nearest, even in the middle) and sums in f32.   A: [m, k]  B: [k, n]  C: [m, n]  bias: [n]
/// On all compute threads, or on the calling one if it is inside a loop; where the work is cut depends on the sizes
/// only. Uses the CPU's bfloat16 units if it has any; what is too small for a normal number may count as 0 there.
void bf16_gemm(int64_t m, int64_t n, int64_t k, float alpha, Operand<float> a, Operand<float> b, float beta, float* c,
               int64_t c_stride, const float* bias = nullptr) noexcept;

/// C[i] = A[i] B[i] like that, with operands and results as gemm_batch has them.
void bf16_gemm_batch(int64_t batch, int64_t m, int64_t n, int64_t k, Operand<float> a, const int64_t* a_offsets,
                     Operand<float> b, const int64_t* b_offsets, float* c) noexcept;

/// What multiplies panels in the instruction set in use, or nullptr.
const PanelKernels* bf16_panels() noexcept;

/// What multiplies bfloat16 on this machine, best first, of `AMX`, `AVX512_BF16` and `f32`, which rounds first and is
/// always there. (Where dot products of bfloat16 are slower than f32 multiply-adds, as in Intel's CPUs, f32 is better.)
std::vector<std::string> bf16_instruction_sets();
/// The one in use. Instruction sets without AVX-512 that are forced on kernels have `f32` only.
std::string bf16_instruction_set();
/// Uses one of them; an empty name returns to the best. False if the machine does not have it.
bool force_bf16_instruction_set(const std::string& name);

}  // namespace mixtape::kernels
