#include <algorithm>
#include <optional>
#include <utility>

#include "autograd/flops.h"
#include "autograd/kernels/gemm/by_rows.h"
#include "autograd/kernels/reduce.h"
#include "autograd/kernels/workspace.h"
#include "autograd/ops/common.h"
#include "autograd/ops/factors.h"

namespace mixtape {
namespace {

// For each matrix of the broadcast batch, where it starts in an operand of shape [batch.., rows, columns].
// The list stays until the thread next asks for the same workspace.
const int64_t* offsets_of(const Shape& operand, const Shape& batch, kernels::Workspace purpose) {
  const Shape own = operand.slice(0, operand.rank() - 2);
  const int64_t matrix = operand[-1] * operand[-2];
  int64_t* offsets = kernels::workspace<int64_t>(purpose, batch.elements());
  for (int64_t i = 0; i < batch.elements(); ++i) {
    int64_t offset = 0, rest = i, stride = matrix;
    for (int axis = 1; axis <= own.rank(); ++axis) {
      offset += own[-axis] == 1 ? 0 : rest % batch[-axis] * stride;
      rest /= batch[-axis];
      stride *= own[-axis];
    }
    offsets[i] = offset;
  }
  return offsets;
}

template <class T>
void multiply(const Tensor& a, const Tensor& b, MatmulOptions options, const Shape& batch, int64_t m, int64_t n,
              int64_t k, const Tensor& y) {
  const kernels::Operand<T> left{a.data<T>(), a.size(-1), options.transpose_a};
  const kernels::Operand<T> right{b.data<T>(), b.size(-1), options.transpose_b};
  if (a.rank() == 2 && b.rank() == 2)
    return kernels::gemm(m, n, k, T(1), left, right, T(0), y.mutable_data<T>(), n, nullptr, product_factors());
  const int64_t *a_offsets = offsets_of(a.shape(), batch, kernels::Workspace::a_offsets),
                *b_offsets = offsets_of(b.shape(), batch, kernels::Workspace::b_offsets);
  kernels::gemm_batch(batch.elements(), m, n, k, left, a_offsets, right, b_offsets, y.mutable_data<T>(),
                      product_factors());
}

struct LinearSizes {
  int64_t rows, in, out;
};

LinearSizes check_linear(const char* op, const Tensor& x, const Tensor& weight, const Tensor& bias) {
  check_same_dtype(op, x, weight);
  if (bias) check_same_dtype(op, x, bias);
  if (weight.rank() != 2 || x.rank() == 0 || x.size(-1) != weight.size(1)) {
    fail(fmt::format("{}: input {} and weight {}, expected [..., in] and [out, in]", op, to_string(x.shape()),
                     to_string(weight.shape())));
  }
  const int64_t in = weight.size(1), out = weight.size(0);
  if (bias && !(bias.shape() == Shape{out})) {
    fail(fmt::format("{}: bias {} for weight {}, expected [{}]", op, to_string(bias.shape()), to_string(weight.shape()),
                     out));
  }
  return {x.shape().slice(0, x.rank() - 1).elements(), in, out};
}

using Map = std::optional<kernels::Unary>;

// f(X) W' + bias, row by row.
Tensor weighted(const Tensor& x, Map f, const Tensor& weight, const Tensor& bias, const LinearSizes& sizes) {
  const auto [rows, in, out] = sizes;
  Tensor y = Tensor::uninitialized(x.shape().with(-1, out), x.dtype());
  count_flops(2 * y.elements() * in);
  dispatch(x.dtype(), [&, rows = rows, in = in, out = out]<class T>(T) {
    kernels::gemm(rows, out, in, T(1), kernels::Operand<T>{x.data<T>(), in, false, f},
                  kernels::Operand<T>{weight.data<T>(), in, true}, T(0), y.mutable_data<T>(), out,
                  bias ? bias.data<T>() : nullptr, product_factors());
  });
  return y;
}

kernels::Unary kernel_of(Activation function) {
  if (function == Activation::relu) return kernels::Unary::relu;
  return function == Activation::gelu ? kernels::Unary::gelu : kernels::Unary::gelu_tanh;
}

// dY' f(X)
Tensor weight_gradient(const Tensor& dy, const Tensor& x, Map f, const LinearSizes& sizes) {
  const auto [rows, in, out] = sizes;
  Tensor dweight = Tensor::uninitialized({out, in}, x.dtype());
  count_flops(2 * dweight.elements() * rows);
  dispatch(x.dtype(), [&, rows = rows, in = in, out = out]<class T>(T) {
    kernels::gemm(out, in, rows, T(1), kernels::Operand<T>{dy.data<T>(), out, true},
                  kernels::Operand<T>{x.data<T>(), in, false, f}, T(0), dweight.mutable_data<T>(), in, nullptr,
                  product_factors());
  });
  return dweight;
}

// dY W * f'(X) in the memory of X, if nobody else sees it; some rows at a time, so that the product stays in the
// caches.
Tensor activation_gradient(const Tensor& dy, const Tensor& weight, Tensor x, kernels::Unary f,
                           const LinearSizes& sizes) {
  constexpr int64_t kElements = 1 << 19;
  if (!x.unique()) x = x.clone();
  count_flops(2 * x.elements() * sizes.out);
  dispatch(x.dtype(), [&, rows = sizes.rows, in = sizes.in, out = sizes.out]<class T>(T) {
    const kernels::Operand<T> left{dy.data<T>(), out}, right{weight.data<T>(), in};
    T* dx = x.mutable_data<T>();
    const auto use = [=](int64_t row, int64_t count, const T* product) {
      kernels::unary_grad(f, dx + row * in, product, dx + row * in, count * in);
    };
    if (kernels::gemm_by_rows(rows, in, out, left, right, product_factors(), use)) return;
    const int64_t most = std::clamp<int64_t>(kElements / std::max<int64_t>(in, 1), 1, std::max<int64_t>(rows, 1));
    const Tensor room = Tensor::uninitialized({most, in}, x.dtype());
    T* some = room.mutable_data<T>();
    for (int64_t row = 0; row < rows; row += most) {
      const int64_t count = std::min(most, rows - row);
      kernels::gemm(count, in, out, T(1), kernels::rows_from(left, row), right, T(0), some, in, nullptr,
                    product_factors());
      use(row, count, some);
    }
  });
  return x;
}

// dY W of a square weight by rows, each added to `sum` if there is one, and otherwise in the memory of dY if that is
// free. Undefined where gemm does better.
Tensor square_input_gradient(const Tensor& dy, const Tensor& weight, const Tensor& sum, bool dy_is_free) {
  Tensor dx = sum ? sum : dy_is_free ? dy : Tensor::like(dy);
  const int64_t in = weight.size(1), rows = dy.elements() / std::max<int64_t>(in, 1);
  dispatch(dy.dtype(), [&]<class T>(T) {
    const kernels::Operand<T> left{dy.data<T>(), in}, right{weight.data<T>(), in};
    T* to = dx.mutable_data<T>();
    const auto use = [=, adds = sum.defined()](int64_t row, int64_t count, const T* product) {
      if (adds) return kernels::add_to(product, to + row * in, count * in);
      std::copy_n(product, count * in, to + row * in);
    };
    if (!kernels::gemm_by_rows(rows, in, in, left, right, product_factors(), use)) dx = {};
  });
  return dx;
}

// dY W, added to `sum` if there is one.
Tensor input_gradient(const Tensor& dy, const Tensor& weight, const Tensor& sum, const LinearSizes& sizes,
                      bool dy_is_free) {
  const auto [rows, in, out] = sizes;
  count_flops(2 * rows * in * out);
  if (in == out) {
    const Tensor dx = square_input_gradient(dy, weight, sum, dy_is_free);
    if (dx) return dx;
  }
  Tensor dx = sum ? sum : Tensor::uninitialized(dy.shape().with(-1, in), dy.dtype());
  dispatch(dy.dtype(), [&, rows = rows, in = in, out = out]<class T>(T) {
    kernels::gemm(rows, in, out, T(1), kernels::Operand<T>{dy.data<T>(), out},
                  kernels::Operand<T>{weight.data<T>(), in}, T(sum ? 1 : 0), dx.mutable_data<T>(), in, nullptr,
                  product_factors());
  });
  return dx;
}

}  // namespace

Tensor matmul(const Tensor& a, const Tensor& b, MatmulOptions options) {
  check_same_dtype("matmul", a, b);
  const bool transpose_a = options.transpose_a, transpose_b = options.transpose_b;
  if (a.rank() < 2 || b.rank() < 2) {
    fail(fmt::format("matmul: {} x {}, expected at least two axes each", to_string(a.shape()), to_string(b.shape())));
  }
  const int64_t m = a.size(transpose_a ? -1 : -2), k = a.size(transpose_a ? -2 : -1);
  const int64_t n = b.size(transpose_b ? -2 : -1);
  if (b.size(transpose_b ? -1 : -2) != k) {
    fail(fmt::format("matmul: inner sizes differ: {}{} x {}{}", to_string(a.shape()), transpose_a ? "'" : "",
                     to_string(b.shape()), transpose_b ? "'" : ""));
  }
  const Shape batch = broadcast("matmul", a.shape().slice(0, a.rank() - 2), b.shape().slice(0, b.rank() - 2));
  Tensor y = Tensor::uninitialized(batch.followed_by({m, n}), a.dtype());
  count_flops(2 * y.elements() * k);
  dispatch(a.dtype(), [&]<class T>(T) { multiply<T>(a, b, options, batch, m, n, k, y); });
  return record("matmul", {a, b}, y, Keep{a, b},
                [transpose_a, transpose_b, factors = product_dtype()](const Kept& kept, const Tensor& dy) {
                  const MixedPrecision precision(factors);
                  const Tensor &a = kept[0], &b = kept[1];
                  Tensor da, db;
                  if (kept.needs(0)) {  // Y = A B: dA = dY B'.  With A transposed, dA = B dY'.
                    da = transpose_a ? matmul(b, dy, {transpose_b, true}) : matmul(dy, b, {false, !transpose_b});
                    da = sum_to(da, a.shape());
                  }
                  if (kept.needs(1)) {  // dB = A' dY.  With B transposed, dB = dY' A.
                    db = transpose_b ? matmul(dy, a, {true, transpose_a}) : matmul(a, dy, {!transpose_a, false});
                    db = sum_to(db, b.shape());
                  }
                  return Gradients(da, db);
                });
}

Tensor linear(const Tensor& x, const Tensor& weight, const Tensor& bias) {
  const LinearSizes sizes = check_linear("linear", x, weight, bias);
  return record(
      "linear", {x, weight, bias}, weighted(x, {}, weight, bias, sizes), Keep{x, weight},
      [sizes, factors = product_dtype()](const Kept& kept, const Tensor& dy) {
        const MixedPrecision precision(factors);
        const Shape shape = kept[0].shape(), rows = {sizes.rows, sizes.out};
        Tensor dx, dweight, dbias;
        if (kept.needs(1))  // dW = dY' X
          dweight = matmul(reshape(dy, rows), reshape(kept.take(0), {sizes.rows, sizes.in}), {.transpose_a = true});
        if (kept.needs(2)) dbias = sum(reshape(dy, rows), 0);  // db = column sums of dY
        if (kept.needs(0)) {                                   // dX = dY W
          if (Tape::recording()) {
            dx = reshape(matmul(reshape(dy, rows), kept[1]), shape);
          } else {
            dx = input_gradient(dy, kept[1], kept.take_sum(0), sizes, kept.last_use() && dy.unique());
          }
        }
        return Gradients(dx, dweight, dbias);
      });
}

Tensor activated_linear(Tensor x, Activation function, const Tensor& weight, const Tensor& bias) {
  if (x.dtype() == f32 && product_dtype() == bf16) return linear(activate(std::move(x), function), weight, bias);
  const LinearSizes sizes = check_linear("activated_linear", x, weight, bias);
  const kernels::Unary f = kernel_of(function);
  return record(
      "activated_linear", {x, weight, bias}, weighted(x, f, weight, bias, sizes), Keep{x, weight},
      [sizes, f](const Kept& kept, const Tensor& dy) {
        const MixedPrecision precision(f32);
        Tensor dweight, dx, dbias;
        if (kept.needs(1)) dweight = weight_gradient(dy, kept[0], f, sizes);               // dW = dY' f(X)
        if (kept.needs(0)) dx = activation_gradient(dy, kept[1], kept.take(0), f, sizes);  // dX = dY W * f'(X)
        if (kept.needs(2)) dbias = sum(reshape(dy, {sizes.rows, sizes.out}), 0);           // db = column sums of dY
        return Gradients(dx, dweight, dbias);
      },
      [function](std::span<const Tensor> in) {
        const MixedPrecision precision(f32);
        return composed::activated_linear(in[0], function, in[1], in[2]);
      });
}

Tensor composed::activated_linear(const Tensor& x, Activation function, const Tensor& weight, const Tensor& bias) {
  return linear(activate(x, function), weight, bias);
}

}  // namespace mixtape
