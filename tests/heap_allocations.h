#pragma once

#include <cstdint>

namespace mixtape::tests {

/// How often operator new was called so far, in any of its forms. A test program that calls this has
/// heap_allocations.cc linked in, which replaces operator new.
int64_t heap_allocations();

/// Minor page faults of this process so far.
int64_t page_faults();

}  // namespace mixtape::tests
