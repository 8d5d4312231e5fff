#include "autograd/ops/internal/products.h"

#include "autograd/kernels/gemm/gradients.h"
#include "autograd/kernels/workspace.h"
#include "autograd/ops/internal/common.h"

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
  if (a.rank() == 2 && b.rank() == 2) {
    return kernels::gemm(m, n, k, T(1), operand<T>(a, a.size(-1), options.transpose_a),
                         operand<T>(b, b.size(-1), options.transpose_b), T(0), y.mutable_data<T>(), n, nullptr,
                         product_precision());
  }
  const kernels::Operand<T> left{a.data<T>(), a.size(-1), options.transpose_a};
  const kernels::Operand<T> right{b.data<T>(), b.size(-1), options.transpose_b};
  const int64_t *a_offsets = offsets_of(a.shape(), batch, kernels::Workspace::a_offsets),
                *b_offsets = offsets_of(b.shape(), batch, kernels::Workspace::b_offsets);
  kernels::gemm_batch(batch.elements(), m, n, k, left, a_offsets, right, b_offsets, y.mutable_data<T>(),
                      product_precision());
}

struct LinearSizes {
  int64_t rows, in, out;
};

LinearSizes check_linear(const Tensor& x, const Tensor& weight, const Tensor& bias) {
  check_same_dtype("linear", x, weight);
  if (bias) check_same_dtype("linear", x, bias);
  if (weight.rank() != 2 || x.rank() == 0 || x.size(-1) != weight.size(1)) {
    fail(fmt::format("linear: input {} and weight {}, expected [..., in] and [out, in]", to_string(x.shape()),
                     to_string(weight.shape())));
  }
  const int64_t in = weight.size(1), out = weight.size(0);
  if (bias && !(bias.shape() == Shape{out})) {
    fail(fmt::format("linear: bias {} for weight {}, expected [{}]", to_string(bias.shape()), to_string(weight.shape()),
                     out));
  }
  return {x.shape().slice(0, x.rank() - 1).elements(), in, out};
}

int64_t rows_in(const Tensor& x) { return x.shape().slice(0, x.rank() - 1).elements(); }

// A B, or A' B, of tensors taken as rows. A square B may be multiplied over A (see gemm_square).
void multiply_rows(const Tensor& a, const Tensor& b, bool transpose_a, const Tensor& c, bool accumulate) {
  const int64_t n = b.size(-1), m = transpose_a ? a.size(-1) : rows_in(a), k = rows_in(b);
  count_flops(2 * m * n * k);
  dispatch(c.dtype(), [&]<class T>(T) {
    const kernels::Operand<T> left = operand<T>(a, a.size(-1), transpose_a), right = operand<T>(b, n);
    T* to = c.mutable_data<T>();
    if (!transpose_a && n == k && !left.map && kernels::goes_by_rows<T>(m, n, k, product_precision()))
      return kernels::gemm_square(m, n, left.data, right, accumulate, to, product_precision());
    kernels::gemm(m, n, k, T(1), left, right, T(accumulate ? 1 : 0), to, n, nullptr, product_precision());
  });
}

// Whether dY W may be written over dY.
bool multiplies_in_place(const LinearSizes& sizes, DType dtype) {
  return sizes.in == sizes.out && dispatch(dtype, [&]<class T>(T) {
           return kernels::goes_by_rows<T>(sizes.rows, sizes.in, sizes.out, product_precision());
         });
}

}  // namespace

Tensor rows_product(const Tensor& a, const Tensor& b, bool transpose_a) {
  const auto matrix = [](const Tensor& x) { return reshape(x, {rows_in(x), x.size(-1)}); };
  const Shape shape = transpose_a ? Shape{a.size(-1), b.size(-1)} : a.shape().with(-1, b.size(-1));
  if (Tape::recording()) return reshape(matmul(matrix(a), matrix(b), {.transpose_a = transpose_a}), shape);
  const auto compute = [transpose_a](std::span<const Tensor> from, const Tensor& result, bool accumulate) {
    multiply_rows(from[0], from[1], transpose_a, result, accumulate);
  };
  return Tensor::deferred(shape, a.dtype(),
                          Recompute::from("product", {a, b}, compute, {.product = !transpose_a, .accumulate = true}));
}

void activation_grad(kernels::Unary f, const Tensor& x, const Tensor& dy, const Tensor& dx) {
  const auto pass = [&]<class X, class T>(const X* in, T* out) {
    const Recompute* product = dy.deferral();
    if (!product) return kernels::unary_grad(f, in, dy.data<T>(), out, dx.elements());
    const Tensor &a = product->sources()[0], &b = product->sources()[1];
    const int64_t n = b.size(-1), k = a.size(-1);
    count_flops(2 * dx.elements() * k);
    kernels::gemm_unary_grad(f, rows_in(a), n, k, operand<T>(a, k), operand<T>(b, n), in, out,
                             product_precision(product->precision()));
  };
  if (x.dtype() == bf16) return pass(static_cast<const uint16_t*>(x.raw_data()), dx.mutable_data<float>());
  dispatch(x.dtype(), [&]<class T>(T) { pass(x.data<T>(), dx.mutable_data<T>()); });
}

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
  // Y = A B: dA = dY B', dB = A' dY.  With A transposed, dA = B dY'; with B transposed, dB = dY' A.
  return record(
      "matmul", {a, b}, y,
      {Rule(a, Save{b},
            [transpose_a, transpose_b, shape = a.shape()](const Tensor& dy, const Tensor& b) {
              return sum_to(transpose_a ? matmul(b, dy, {transpose_b, true}) : matmul(dy, b, {false, !transpose_b}),
                            shape);
            }),
       Rule(b, Save{a}, [transpose_a, transpose_b, shape = b.shape()](const Tensor& dy, const Tensor& a) {
         return sum_to(transpose_b ? matmul(dy, a, {true, transpose_a}) : matmul(a, dy, {!transpose_a, false}), shape);
       })});
}

Tensor linear(const Tensor& x, const Tensor& weight, const Tensor& bias) {
  const LinearSizes sizes = check_linear(x, weight, bias);
  const auto [rows, in, out] = sizes;
  Tensor y = Tensor::uninitialized(x.shape().with(-1, out), x.dtype());
  count_flops(2 * y.elements() * in);
  dispatch(x.dtype(), [&, rows = rows, in = in, out = out]<class T>(T) {
    kernels::gemm(rows, out, in, T(1), operand<T>(x, in), operand<T>(weight, in, true), T(0), y.mutable_data<T>(), out,
                  bias ? bias.data<T>() : nullptr, product_precision());
  });
  return record("linear", {x, weight, bias}, y,
                {Rule(weight, Save{x},
                      [](const Tensor& dy, const Tensor& x) { return rows_product(dy, x, true); }),  // dW = dY' X
                 Rule(bias, Save{},
                      [sizes](const Tensor& dy) {
                        return sum(reshape(dy, {sizes.rows, sizes.out}), 0);
                      }),
                 Rule(x, Save{weight},
                      [](const Tensor& dy, const Tensor& weight) { return rows_product(dy, weight); },  // dX = dY W
                      {.overwrite_dy = multiplies_in_place(sizes, x.dtype())})});
}

}  // namespace mixtape
