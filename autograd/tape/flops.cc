#include "autograd/tape/flops.h"

namespace mixtape {
namespace {

thread_local FlopCounter* innermost = nullptr;

}  // namespace

FlopCounter::FlopCounter() : outer_(innermost) { innermost = this; }
FlopCounter::~FlopCounter() { innermost = outer_; }

void count_flops(int64_t flops) {
  for (FlopCounter* counter = innermost; counter; counter = counter->outer_) counter->count_ += flops;
}

}  // namespace mixtape
