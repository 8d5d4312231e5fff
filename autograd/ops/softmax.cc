#include "autograd/kernels/softmax.h"

#include "autograd/ops/internal/common.h"

namespace mixtape {

Tensor softmax(const Tensor& x) {
  check_differentiable("softmax", x);
  const Rows matrix = rows_of("softmax", x);
  const int64_t rows = matrix.rows, n = matrix.n;
  Tensor y = Tensor::like(x);
  dispatch(x.dtype(), [&]<class T>(T) { kernels::softmax(x.data<T>(), y.mutable_data<T>(), rows, n); });
  return record("softmax", {x}, y,
                Rule(x, Save{y},
                     [rows, n](const Tensor& dy, const Tensor& y, Gradient& dx) {  // dx = y * (dy - sum(dy * y))
                       dispatch(y.dtype(), [&]<class T>(T) {
                         kernels::softmax_grad(y.data<T>(), dy.data<T>(), dx.data<T>(), rows, n);
                       });
                     },
                     {.overwrite_dy = true}),
                composed::softmax);
}

Tensor composed::softmax(const Tensor& x) {
  const Tensor e = exp(x - max(x.detach(), -1, true));
  return e / sum(e, -1, true);
}

Tensor log_softmax(const Tensor& x) {
  check_differentiable("log_softmax", x);
  const Rows matrix = rows_of("log_softmax", x);
  const int64_t rows = matrix.rows, n = matrix.n;
  Tensor y = Tensor::like(x);
  dispatch(x.dtype(), [&]<class T>(T) { kernels::log_softmax(x.data<T>(), y.mutable_data<T>(), rows, n); });
  return record("log_softmax", {x}, y,
                Rule(x, Save{y},
                     [rows, n](const Tensor& dy, const Tensor& y, Gradient& dx) {  // dx = dy - exp(y) * sum(dy)
                       dispatch(y.dtype(), [&]<class T>(T) {
                         kernels::log_softmax_grad(y.data<T>(), dy.data<T>(), dx.data<T>(), rows, n);
                       });
                     },
                     {.overwrite_dy = true}),
                composed::log_softmax);
}

Tensor composed::log_softmax(const Tensor& x) {
  const Tensor shifted = x - max(x.detach(), -1, true);
  return shifted - log(sum(exp(shifted), -1, true));
}

}  // namespace mixtape
