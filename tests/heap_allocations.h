#pragma once

#include <cstdint>

namespace mixtape::tests {

/// How often operator new was called so far, in any of its forms. Only in tests that link heap_allocations.cc, which
/// replaces it.
int64_t heap_allocations();

/// Minor page faults of this process so far.
int64_t page_faults();

}  // namespace mixtape::tests
