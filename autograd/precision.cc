#include "autograd/precision.h"

#include <fmt/format.h>

#include "autograd/error.h"

namespace mixtape {
namespace {

thread_local DType factors_now = f32;

}  // namespace

MixedPrecision::MixedPrecision(DType factors) : outer_(factors_now) {
  if (factors != f32 && factors != bf16)
    fail(fmt::format("mixed precision: factors of {}, expected f32 or bf16", name_of(factors)));
  factors_now = factors;
}

MixedPrecision::~MixedPrecision() { factors_now = outer_; }

DType product_dtype() { return factors_now; }

}  // namespace mixtape
