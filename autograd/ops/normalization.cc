#include "autograd/kernels/batch_norm.h"
#include "autograd/kernels/norm.h"

#include "autograd/ops/common.h"

namespace mixtape {

namespace {

// y of a layer_norm that kept x, gamma, statistics and beta.
Tensor normalized_again(const Kept& kept) {
  const Tensor &x = kept[0], &gamma = kept[1], &statistics = kept[2], &beta = kept[3];
  Tensor y = Tensor::like(x);
  dispatch(x.dtype(), [&]<class T>(T) {
    kernels::layer_norm_recompute(x.data<T>(), gamma.data<T>(), beta.data<T>(), statistics.data<T>(), y.mutable_data<T>(),
                              statistics.size(0), x.size(-1));
  });
  return y;
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
  return record(
      "layer_norm", {x, gamma, beta}, y, Keep{x, gamma, statistics, beta},
      [rows, n](const Kept& kept, const Tensor& dy) {
        const Tensor &x = kept[0], &gamma = kept[1], &statistics = kept[2];
        const Tensor sum = kept.take_sum(0);
        Tensor dx = sum ? sum : Tensor::like(x), dgamma = Tensor::like(gamma), dbeta = Tensor::like(gamma);
        const Tensor partial = Tensor::uninitialized({2, kernels::layer_norm_pieces(rows), n}, x.dtype());
        dispatch(
            x.dtype(),
            [&]<class T>(T) {  // h = (x - mean) * rstd, g = dy * gamma: dx = rstd * (g - mean(g) - h * mean(g * h))
              kernels::layer_norm_grad(x.data<T>(), gamma.data<T>(), statistics.data<T>(), dy.data<T>(), sum.defined(),
                                       dx.mutable_data<T>(), dgamma.mutable_data<T>(), dbeta.mutable_data<T>(),
                                       partial.mutable_data<T>(), rows, n);
            });
        return Gradients(dx, dgamma, dbeta);
      },
      [epsilon](std::span<const Tensor> in) { return composed::layer_norm(in[0], in[1], in[2], epsilon); },
      normalized_again);
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
  record(
      "batch_norm", {x, gamma, beta}, y, Keep{x, gamma, statistics},
      [rows, n](const Kept& kept, const Tensor& dy) {
        const Tensor &x = kept[0], &gamma = kept[1], &statistics = kept[2];
        Tensor dx = Tensor::like(x), dgamma = Tensor::like(gamma), dbeta = Tensor::like(gamma);
        const Tensor partial = Tensor::uninitialized({2, kernels::batch_norm_pieces(rows), n}, x.dtype());
        dispatch(x.dtype(),
                 [&]<class T>(T) {  // h = (x - mean) * rstd: dx = gamma * rstd * (dy - mean(dy) - h * mean(dy * h))
                   kernels::batch_norm_grad(x.data<T>(), gamma.data<T>(), statistics.data<T>(), dy.data<T>(),
                                            dx.mutable_data<T>(), dgamma.mutable_data<T>(), dbeta.mutable_data<T>(),
                                            partial.mutable_data<T>(), rows, n);
                 });
        return Gradients(dx, dgamma, dbeta);
      },
      [epsilon](std::span<const Tensor> in) { return composed::batch_norm(in[0], in[1], in[2], epsilon); });
  return {y, statistics.view_rows(0, 1).view({n}), statistics.view_rows(1, 2).view({n})};
}

Tensor composed::batch_norm(const Tensor& x, const Tensor& gamma, const Tensor& beta, double epsilon) {
  const Tensor rows = reshape(x, {x.elements() / x.size(-1), x.size(-1)});
  const Tensor centred = rows - mean(rows, 0, true);
  const Tensor variance = mean(centred * centred, 0, true);
  return reshape(centred / sqrt(variance + epsilon) * gamma + beta, x.shape());
}

}  // namespace mixtape
