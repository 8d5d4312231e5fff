#include "autograd/kernels/instruction_set.h"

#include "autograd/kernels/dispatch.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "autograd/kernels/instruction_set.cc"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
//
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace mixtape::kernels::HWY_NAMESPACE {
int64_t active_target() { return HWY_TARGET; }
int64_t bits_of_vectors() { return 8 * HWY_MAX_BYTES; }
}  // namespace mixtape::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace mixtape::kernels {

namespace {

// Queried before one is forced: afterwards Highway reports that one only.
const std::vector<int64_t>& targets() {
  static const std::vector<int64_t> all = hwy::SupportedAndGeneratedTargets();
  return all;
}

}  // namespace

std::string instruction_set() { return hwy::TargetName(MIXTAPE_KERNEL(active_target)()); }

int64_t vector_bits() { return MIXTAPE_KERNEL(bits_of_vectors)(); }

std::vector<std::string> instruction_sets() {
  std::vector<std::string> names;
  for (int64_t target : targets()) names.emplace_back(hwy::TargetName(target));
  return names;
}

bool force_instruction_set(const std::string& name) {
  for (int64_t target : targets()) {
    if (!name.empty() && name != hwy::TargetName(target)) continue;
    hwy::SetSupportedTargetsForTest(target);
    return true;
  }
  return false;
}

}  // namespace mixtape::kernels
#endif
