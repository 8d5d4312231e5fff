#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace mixtape::kernels {

/// The instruction set that kernels use now: `AVX3`, `AVX2`, `SSE4`, ... (Highway's names).
std::string instruction_set();

/// The width of its vectors.
int64_t vector_bits();

/// All that this machine can run and the library was built for, best first.
std::vector<std::string> instruction_sets();

/// Makes kernels use one of instruction_sets(); an empty name returns to the best. False if the machine does not have
/// it.
bool force_instruction_set(const std::string& name);

}  // namespace mixtape::kernels
