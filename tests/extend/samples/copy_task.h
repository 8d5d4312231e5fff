#pragma once

#include "data/parallel_text.h"

namespace mixtape::data {

/// `pairs` sentences of letters, each with itself as its translation.
ParallelText copy_task(int64_t pairs, uint64_t seed = 1);

}  // namespace mixtape::data
