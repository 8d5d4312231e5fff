#include "autograd/tensors/recompute.h"

#include <fmt/format.h>

#include <new>

#include "autograd/tape/precision.h"
#include "autograd/tensors/allocator.h"
#include "autograd/tensors/error.h"

namespace mixtape {

Ref<Recompute> Recompute::from(const char* op, Tensors sources, Function function, Fusion fusion) {
  return Ref<Recompute>(new (allocate(sizeof(Recompute))) Recompute(op, sources, function, fusion));
}

Recompute::Recompute(const char* op, Tensors sources, Function function, Fusion fusion)
    : op_(op), precision_(compute_precision()), fusion_(fusion), function_(function), count_(0) {
  if (sources.size() > kMostSources)
    fail(fmt::format("{}: computed from {} tensors, expected {} at most", op, sources.size(), kMostSources));
  for (const Tensor& source : sources) {
    sources_[count_] = source;
    versions_[count_++] = source.version();
  }
}

void Recompute::destroy(Recompute* recompute) noexcept {
  recompute->~Recompute();
  deallocate(recompute);
}

std::span<const Tensor> Recompute::sources() const {
  for (size_t i = 0; i < count_; ++i) {
    if (sources_[i].version() != versions_[i])
      fail(fmt::format("{}: a tensor that its result is computed from has been overwritten since", op_));
  }
  return std::span(sources_).first(count_);
}

void Recompute::operator()(const Tensor& result, bool accumulate) const {
  const MixedPrecision precision(precision_);
  function_(sources(), result, accumulate);
}

}  // namespace mixtape
