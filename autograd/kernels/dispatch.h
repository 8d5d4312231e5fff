#pragma once

#include <cstddef>

#include "hwy/targets.h"

namespace mixtape::kernels {

/// Of a kernel compiled once per instruction set, the one for the instruction set in use.
template <class Kernel, size_t kCount>
Kernel* chosen_kernel(Kernel* const (&kernels)[kCount]) {
  hwy::ChosenTarget& target = hwy::GetChosenTarget();
  if (!target.IsInitialized()) target.Update(hwy::SupportedTargets());
  return kernels[target.GetIndex()];
}

}  // namespace mixtape::kernels

/// MIXTAPE_KERNEL(softmax_rows<T>) is the function of that name for the instruction set in use. It does for templates
/// what HWY_EXPORT and HWY_DYNAMIC_DISPATCH do for functions; a macro, because each instruction set is a namespace.
#define MIXTAPE_KERNEL(kernel)                                                                                     \
  [] {                                                                                                             \
    static constexpr decltype(&HWY_STATIC_DISPATCH(kernel)) kKernels[] = {nullptr, HWY_CHOOSE_TARGET_LIST(kernel), \
                                                                          HWY_CHOOSE_FALLBACK(kernel)};            \
    return mixtape::kernels::chosen_kernel(kKernels);                                                              \
  }()
