#pragma once

#include <string>

namespace mixtape {

/// How many threads compute; at first as many as the machine has processors. Results do not depend on it, to the bit.
int threads();
/// Throws unless 1 <= count <= 1024.
void set_threads(int count);

/// The instruction set that the kernels use on this machine: `AVX3`, `AVX2`, ...
std::string instruction_set();
/// Makes the kernels use another one that the machine has; an empty name returns to the best. Throws, naming those it
/// has, otherwise.
void force_instruction_set(const std::string& name);

}  // namespace mixtape
