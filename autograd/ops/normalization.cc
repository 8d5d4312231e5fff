#include "autograd/kernels/batch_norm.h"
#include "autograd/kernels/norm.h"

#include "autograd/ops/internal/common.h"
#include "autograd/tensors/recompute.h"

namespace mixtape {

namespace {

// The result of layer_norm from x, gamma, beta and the statistics of each row.
void layer_norm_of(std::span<const Tensor> from, const Tensor& y, bool) {
  const Tensor &x = from[0], &gamma = from[1], &beta = from[2], &statistics = from[3];
  dispatch(x.dtype(), [&]<class T>(T) {
    kernels::layer_norm_recompute(x.data<T>(), gamma.data<T>(), beta.data<T>(), statistics.data<T>(),
                                  y.mutable_data<T>(), statistics.size(0), x.size(-1));
  });
}

}  // namespace

Tensor layer_norm(const Tensor& x, const Tensor& gamma, const Tensor& beta, double epsilon) {
  check_same_dtype("layer_norm", x, gamma);
  check_same_dtype("layer_norm", x, beta);
  const Rows matrix = rows_of("layer_norm", x);
  const int64_t rows = matrix.rows, n = matrix.n;
  if (!(gamma.shape() == Shape{n}) || !(beta.shape() == Shape{n})) {
    fail(fmt::format("layer_norm: input {} with gamma {} and beta {}, expected [{}]", to_string(x.shape()),
                     to_string(gamma.shape()), to_string(beta.shape()), n));
  }
  Tensor y = Tensor::like(x);
  Tensor statistics = Tensor::uninitialized({rows, 2}, x.dtype());
  dispatch(x.dtype(), [&]<class T>(T) {
    kernels::layer_norm(x.data<T>(), gamma.data<T>(), beta.data<T>(), epsilon, y.mutable_data<T>(),
                        statistics.mutable_data<T>(), rows, n);
  });
  y.set_recompute(Recompute::from("layer_norm", {x, gamma, beta, statistics}, layer_norm_of));
  return record(
      "layer_norm", {x, gamma, beta}, y,
      Rule({x, gamma, beta}, Save{x, gamma, statistics},
           [rows, n](const Tensor& dy, const Tensor& x, const Tensor& gamma, const Tensor& statistics, Gradient& dx,
                     Gradient& dgamma, Gradient& dbeta) {
             // h = (x - mean) * rstd, g = dy * gamma: dx = rstd * (g - mean(g) - h * mean(g * h))
             const Tensor partial = Tensor::uninitialized({2, kernels::layer_norm_pieces(rows), n}, x.dtype());
             dispatch(x.dtype(), [&]<class T>(T) {
               kernels::layer_norm_grad(x.data<T>(), gamma.data<T>(), statistics.data<T>(), dy.data<T>(), dx.accumulate,
                                        dx.data<T>(), dgamma.data<T>(), dbeta.data<T>(), partial.mutable_data<T>(),
                                        rows, n);
             });
           },
           {.accumulate = true}),
      [epsilon](const Tensor& x, const Tensor& gamma, const Tensor& beta) {
        return composed::layer_norm(x, gamma, beta, epsilon);
      });
}

Tensor composed::layer_norm(const Tensor& x, const Tensor& gamma, const Tensor& beta, double epsilon) {
  const Tensor centred = x - mean(x, -1, true);
  const Tensor variance = mean(centred * centred, -1, true);
  return centred / sqrt(variance + epsilon) * gamma + beta;
}

BatchNormed batch_norm(const Tensor& x, const Tensor& gamma, const Tensor& beta, double epsilon) {
  check_same_dtype("batch_norm", x, gamma);
  check_same_dtype("batch_norm", x, beta);
  const Rows matrix = rows_of("batch_norm", x);
  const int64_t rows = matrix.rows, n = matrix.n;
  if (!(gamma.shape() == Shape{n}) || !(beta.shape() == Shape{n}) || rows == 0) {
    fail(fmt::format("batch_norm: input {} with gamma {} and beta {}, expected [{}] and at least one row",
                     to_string(x.shape()), to_string(gamma.shape()), to_string(beta.shape()), n));
  }
  Tensor y = Tensor::like(x);
  const Tensor statistics = Tensor::uninitialized({3, n}, x.dtype());
  const Tensor partial = Tensor::uninitialized({2, kernels::batch_norm_pieces(rows), n}, x.dtype());
  dispatch(x.dtype(), [&]<class T>(T) {
    kernels::batch_norm(x.data<T>(), gamma.data<T>(), beta.data<T>(), epsilon, y.mutable_data<T>(),
                        statistics.mutable_data<T>(), partial.mutable_data<T>(), rows, n);
  });
  record("batch_norm", {x, gamma, beta}, y,
         Rule({x, gamma, beta}, Save{x, gamma, statistics},
              [rows, n](const Tensor& dy, const Tensor& x, const Tensor& gamma, const Tensor& statistics, Gradient& dx,
                        Gradient& dgamma, Gradient& dbeta) {
                // h = (x - mean) * rstd: dx = gamma * rstd * (dy - mean(dy) - h * mean(dy * h))
                const Tensor partial = Tensor::uninitialized({2, kernels::batch_norm_pieces(rows), n}, x.dtype());
                dispatch(x.dtype(), [&]<class T>(T) {
                  kernels::batch_norm_grad(x.data<T>(), gamma.data<T>(), statistics.data<T>(), dy.data<T>(),
                                           dx.data<T>(), dgamma.data<T>(), dbeta.data<T>(), partial.mutable_data<T>(),
                                           rows, n);
                });
              }),
         [epsilon](const Tensor& x, const Tensor& gamma, const Tensor& beta) {
           return composed::batch_norm(x, gamma, beta, epsilon);
         });
  return {y, statistics.view_rows(0, 1).view({n}), statistics.view_rows(1, 2).view({n})};
}

Tensor composed::batch_norm(const Tensor& x, const Tensor& gamma, const Tensor& beta, double epsilon) {
  const Tensor rows = reshape(x, {x.elements() / x.size(-1), x.size(-1)});
  const Tensor centred = rows - mean(rows, 0, true);
  const Tensor variance = mean(centred * centred, 0, true);
  return reshape(centred / sqrt(variance + epsilon) * gamma + beta, x.shape());
}

}  // namespace mixtape
