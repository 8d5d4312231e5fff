#include "autograd/kernels/dropout.h"

#include "autograd/kernels/parallel.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "autograd/kernels/dropout.cc"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
//
#include "autograd/kernels/philox-inl.h"

HWY_BEFORE_NAMESPACE();
namespace mixtape::kernels::HWY_NAMESPACE {

void dropout_f32(const DropoutDraw& draw, const float* x, float* y, int64_t first, int64_t n) {
  DrawnGroup drawn(draw, first);
  dropout_run(draw, drawn, x, y, first, n);
}
void dropout_f64(const DropoutDraw& draw, const double* x, double* y, int64_t first, int64_t n) {
  DrawnGroup drawn(draw, first);
  dropout_run(draw, drawn, x, y, first, n);
}

}  // namespace mixtape::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace mixtape::kernels {
namespace {

HWY_EXPORT(dropout_f32);
HWY_EXPORT(dropout_f64);

constexpr int64_t kGrain = 1 << 12;  // a multiple of the 64 numbers drawn at once

}  // namespace

void dropout(const DropoutDraw& draw, const float* x, float* y, int64_t n) noexcept {
  const auto run = HWY_DYNAMIC_DISPATCH(dropout_f32);
  parallel_for(n, kGrain, [=](int64_t first, int64_t last) { run(draw, x + first, y + first, first, last - first); });
}
void dropout(const DropoutDraw& draw, const double* x, double* y, int64_t n) noexcept {
  const auto run = HWY_DYNAMIC_DISPATCH(dropout_f64);
  parallel_for(n, kGrain, [=](int64_t first, int64_t last) { run(draw, x + first, y + first, first, last - first); });
}

}  // namespace mixtape::kernels
#endif
