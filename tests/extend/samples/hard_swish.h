#pragma once

#include <cstdint>

namespace mixtape::kernels {

/// y = x * clamp(x + 3, 0, 6) / 6.
template <class T>
void hard_swish(const T* x, T* y, int64_t n) noexcept;
/// dx = dy * y', which is 0 below -3, 1 above 3, and (2 x + 3) / 6 between. dx may be dy.
template <class T>
void hard_swish_grad(const T* x, const T* dy, T* dx, int64_t n) noexcept;

}  // namespace mixtape::kernels
