#pragma once

#include <algorithm>

#include "autograd/ops.h"
#include "autograd/tape/tape.h"

namespace mixtape::extend {

/// The kernel: y = x * clamp(x + 3, 0, 6) / 6 for n numbers.
template <class T>
void hard_swish_kernel(const T* x, T* y, int64_t n) {
  for (int64_t i = 0; i < n; ++i) y[i] = x[i] * std::clamp<T>(x[i] + 3, 0, 6) / 6;
}

/// dx = dy * y', where y' is 0 below -3, 1 above 3, and (2 x + 3) / 6 between.
template <class T>
void hard_swish_grad_kernel(const T* x, const T* dy, T* dx, int64_t n) {
  for (int64_t i = 0; i < n; ++i) dx[i] = dy[i] * (x[i] <= -3 ? 0 : x[i] >= 3 ? 1 : (2 * x[i] + 3) / 6);
}

/// The composed definition: the same in terms of ops.
inline Tensor composed_hard_swish(const Tensor& x) { return x * (relu(x + 3.0) - relu(x - 3.0)) / 6.0; }

/// x * clamp(x + 3, 0, 6) / 6, element by element (Howard et al. 2019, "Searching for MobileNetV3").
inline Tensor hard_swish(const Tensor& x) {
  const Tensor y = Tensor::like(x);
  dispatch(x.dtype(), [&]<class T>(T) { hard_swish_kernel(x.data<T>(), y.mutable_data<T>(), x.elements()); });
  return record("hard_swish", {x}, y,
                Rule(x, Save{x},
                     [](const Tensor& dy, const Tensor& x, Gradient& dx) {
                       dispatch(x.dtype(), [&]<class T>(T) {
                         hard_swish_grad_kernel(x.data<T>(), dy.data<T>(), dx.data<T>(), x.elements());
                       });
                     },
                     {.overwrite_dy = true}),
                composed_hard_swish);
}

}  // namespace mixtape::extend
