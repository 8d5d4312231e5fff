#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "autograd/ops/mask.h"
#include "autograd/ops/packed.h"
#include "autograd/tape/rule.h"
#include "autograd/tensors/tensor.h"

/// The catalogue of ops. Each computes its value at once and, if a tape is in scope and an input is on it, records a
/// line with the rule that takes the gradient back. An op's code, its rule and its composed definition stand together
/// in ops/. All take f32 or f64, do not mix dtypes, and throw Error on shapes that do not fit. Letters in shapes: B
/// batch, T time, C channels, H heads, D head width, V vocabulary.
namespace mixtape {

// --- arithmetic (ops/arithmetic.cc): shapes broadcast by NumPy's rule

/// a + b, a - b, a * b, a / b, element by element.
Tensor operator+(const Tensor& a, const Tensor& b);
Tensor operator-(const Tensor& a, const Tensor& b);
Tensor operator*(const Tensor& a, const Tensor& b);
Tensor operator/(const Tensor& a, const Tensor& b);

Tensor operator*(const Tensor& x, double factor);
Tensor operator+(const Tensor& x, double term);
inline Tensor operator*(double factor, const Tensor& x) { return x * factor; }
inline Tensor operator+(double term, const Tensor& x) { return x + term; }
inline Tensor operator-(const Tensor& x, double term) { return x + -term; }
inline Tensor operator/(const Tensor& x, double divisor) { return x * (1 / divisor); }
inline Tensor operator-(const Tensor& x) { return x * -1.0; }
inline Tensor operator-(double term, const Tensor& x) { return -x + term; }

// --- functions of one element (ops/functions.cc)

Tensor exp(const Tensor& x);
/// The natural logarithm; -infinity at 0, NaN below.
Tensor log(const Tensor& x);
/// NaN below 0; the slope at 0 is infinite.
Tensor sqrt(const Tensor& x);
Tensor tanh(const Tensor& x);
/// The error function, 2 / sqrt(pi) times the integral of exp(-t^2) from 0 to x.
Tensor erf(const Tensor& x);
/// max(x, 0); the slope at 0 is 0.
Tensor relu(const Tensor& x);
/// x (1 + erf(x / sqrt 2)) / 2 (Hendrycks & Gimpel 2016).
Tensor gelu(const Tensor& x);
/// x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))) / 2, GELU's older approximation.
Tensor gelu_tanh(const Tensor& x);

/// What lies between the two products of a feed-forward block. Under a tape it costs no memory there: a product that
/// reads the result of relu, gelu or gelu_tanh computes it from their input as it goes.
enum class Activation { relu, gelu, gelu_tanh };
/// The activation as an op.
Tensor activate(const Tensor& x, Activation function);

/// 1 where a > b, else 0, as i32; shapes are equal. A constant to every tape.
Tensor greater(const Tensor& a, const Tensor& b);
/// a where condition is not 0, else b.   condition: i32; all three broadcast
Tensor where(const Tensor& condition, const Tensor& a, const Tensor& b);

// --- reductions (ops/reductions.cc)

/// The sum of all elements, a scalar.
Tensor sum(const Tensor& x);
/// The sum over one axis, which goes, or stays with size 1.
Tensor sum(const Tensor& x, int axis, bool keep_axis = false);
Tensor mean(const Tensor& x);
Tensor mean(const Tensor& x, int axis, bool keep_axis = false);
/// The largest element along an axis. The gradient goes to the first of equals.
Tensor max(const Tensor& x, int axis, bool keep_axis = false);
/// Where the (first) largest element is along an axis, i32.
Tensor argmax(const Tensor& x, int axis);

struct TopK {
  Tensor values;   ///< [..., k], largest first
  Tensor indices;  ///< i32 [..., k]; of equals, the first come first
};
/// The k largest elements along the last axis.   x: [..., n], 0 < k <= n
TopK top_k(const Tensor& x, int64_t k);

/// x summed over the axes that broadcasting would stretch to turn `shape` into x's: the reverse of broadcast_to.
Tensor sum_to(const Tensor& x, const Shape& shape);

// --- products (ops/products.cc)

struct MatmulOptions {
  bool transpose_a = false;  ///< the last two axes of a are read as swapped; nothing is copied
  bool transpose_b = false;
};
/// The matrix product of the last two axes; the axes before them broadcast.   a: [..., m, k]  b: [..., k, n]  result:
/// [..., m, n]
Tensor matmul(const Tensor& a, const Tensor& b, MatmulOptions options = {});

/// x W' + bias.   x: [..., in]  weight: [out, in]  bias: [out] or undefined  result: [..., out]
Tensor linear(const Tensor& x, const Tensor& weight, const Tensor& bias = {});

// --- images (ops/images.cc): [B, H, W, C], height, width and channels. H' = (H + 2 padding - height) / stride + 1
// rounded down is the number of windows below one another, W' that side by side.

/// Windows that slide over images in steps of `stride` pixels, the first beginning `padding` pixels outside.
struct WindowOptions {
  int64_t height = 1;
  int64_t width = 1;
  int64_t stride = 1;
  int64_t padding = 0;
};
/// What each window holds, 0 outside of the image.   x: [B, H, W, C]  result: [B, H', W', height width C]
Tensor unfold(const Tensor& x, const WindowOptions& window);
/// Images of `shape` in which each pixel is the sum of what the windows that hold it have in its place: the reverse of
/// unfold.   windows: [B, H', W', height width C]
Tensor fold(const Tensor& windows, const Shape& shape, const WindowOptions& window);
/// Images cut into squares of size x size pixels, row by row.   x: [B, H, W, C], H and W multiples of size  result: [B,
/// H W / size^2, size size C]
Tensor patches(const Tensor& x, int64_t size);

struct Conv2dOptions {
  int64_t stride = 1;
  int64_t padding = 0;
};
/// unfold(x) W' + bias: each result is the weighted sum of a window (LeCun et al. 1989).   x: [B, H, W, C]  weight: [O,
/// height, width, C]  bias: [O] or undefined  result: [B, H', W', O]
Tensor conv2d(const Tensor& x, const Tensor& weight, const Tensor& bias = {}, const Conv2dOptions& options = {});

struct PoolOptions {
  int64_t size = 2;     ///< height and width of a window
  int64_t stride = 0;   ///< 0: size
  int64_t padding = 0;  ///< less than size
};
/// The largest number of each channel in each window; what lies outside of the image does not count. The gradient goes
/// to the first of equals.   x: [B, H, W, C]  result: [B, H', W', C]
Tensor max_pool2d(const Tensor& x, const PoolOptions& options = {});
/// The mean of each channel over the pixels of each window that lie within the image.   x: [B, H, W, C]  result: [B,
/// H', W', C]
Tensor average_pool2d(const Tensor& x, const PoolOptions& options = {});

// --- shapes (ops/shapes.cc)

/// The same elements under another shape; one size may be -1 and is worked out. Copies nothing.
Tensor reshape(const Tensor& x, const Shape& shape);
Tensor reshape(const Tensor& x, std::initializer_list<int64_t> sizes);
/// Two axes swapped, copied.
Tensor transpose(const Tensor& x, int axis_a = -2, int axis_b = -1);
/// Stretched to `shape` by NumPy's rule, copied.
Tensor broadcast_to(const Tensor& x, const Shape& shape);
/// Put one after the other along an axis; the other axes agree.
Tensor concat(Tensors parts, int axis);
/// Cut along an axis into parts of the given sizes, which add up to the axis.
std::vector<Tensor> split(const Tensor& x, const std::vector<int64_t>& sizes, int axis);
/// Indices [first, last) of an axis.
Tensor slice(const Tensor& x, int axis, int64_t first, int64_t last);
/// Zeros of `shape` with x at indices [first, first + x.size(axis)) of an axis: the reverse of slice.
Tensor place(const Tensor& x, const Shape& shape, int axis, int64_t first);
/// The same numbers as f32 or f64.
Tensor cast(const Tensor& x, DType dtype);

// --- indexing (ops/indexing.cc)

/// result[.., i, ..] = x[.., indices[.., i, ..], ..] along an axis.   indices: i32, x's shape but for that axis
Tensor gather(const Tensor& x, const Tensor& indices, int axis);
/// Zeros of `shape` to which x[.., i, ..] is added at [.., indices[.., i, ..], ..]: the reverse of gather.
Tensor scatter_add(const Tensor& x, const Tensor& indices, int axis, const Shape& shape);
/// Rows of a table.   indices: i32 [...]  table: [V, C]  result: [..., C]
Tensor embedding(const Tensor& indices, const Tensor& table);
/// Zeros [rows, C] to which row i of x is added at row indices[i]: the reverse of embedding.   x: [..., C]  indices:
/// i32 [...]
Tensor embedding_grad(const Tensor& x, const Tensor& indices, int64_t rows);
/// A packed batch with its padding put in, zeros.   packed: [rows, ...]  result: [B, longest, ...]
Tensor to_padded(const Tensor& packed, const Bounds& bounds);
/// The rows of a padded batch without its padding.   padded: [B, longest, ...]  result: [rows, ...]
Tensor to_packed(const Tensor& padded, const Bounds& bounds);

// --- softmax (ops/softmax.cc)

/// exp(x - max(x)) / sum(exp(x - max(x))) over the last axis.
Tensor softmax(const Tensor& x);
/// x - max(x) - log(sum(exp(x - max(x)))) over the last axis.
Tensor log_softmax(const Tensor& x);

// --- normalisation (ops/normalization.cc)

/// (x - mean) / sqrt(variance + epsilon) * gamma + beta over the last axis (Ba et al. 2016).   x: [..., C]  gamma,
/// beta: [C]
Tensor layer_norm(const Tensor& x, const Tensor& gamma, const Tensor& beta, double epsilon = 1e-5);

struct BatchNormed {
  Tensor y;         ///< like x
  Tensor mean;      ///< [C], a constant
  Tensor variance;  ///< [C], with divisor N, a constant
};
/// (x - mean) / sqrt(variance + epsilon) * gamma + beta, mean and variance of each channel over all N rows (Ioffe &
/// Szegedy 2015).   x: [..., C], N > 0 rows of C  gamma, beta: [C]
BatchNormed batch_norm(const Tensor& x, const Tensor& gamma, const Tensor& beta, double epsilon = 1e-5);

// --- dropout (ops/dropout.cc)

/// Under a training tape each element is 0 with probability p and x / (1 - p) otherwise (Srivastava et al. 2014);
/// elsewhere x itself. The mask depends on (seed, step, op, element) alone and is recomputed in backward.   0 <= p
/// < 1
Tensor dropout(const Tensor& x, double p);

/// Under a training tape each sequence of x is all 0 with probability p and scaled by 1 / (1 - p) otherwise (Huang et
/// al. 2016, "Deep networks with stochastic depth"); elsewhere x itself. Which ones depends on (seed, step, op,
/// sequence) alone.   x: packed [rows, ...] with the bounds of its sequences, or [B, ...] without bounds, where each b
/// is one  0
/// <= p < 1
Tensor stochastic_depth(const Tensor& x, double p, const Bounds& bounds = {});

// --- loss (ops/loss.cc)

enum class Reduction { mean, sum };
struct CrossEntropyOptions {
  double label_smoothing = 0;             ///< the share of the target that is spread evenly over all classes
  int32_t ignored = -1;                   ///< rows with this target count for nothing
  Reduction reduction = Reduction::mean;  ///< the mean is over the rows that are not ignored; 0 if there are none
};
/// Minus the log-probability of each row's target under softmax(logits).   logits: [N, V]  targets: i32 [N]  result:
/// scalar
Tensor cross_entropy(const Tensor& logits, const Tensor& targets, CrossEntropyOptions options = {});

struct SoftCrossEntropyOptions {
  double label_smoothing = 0;             ///< the share of the target that is spread evenly over all classes
  Reduction reduction = Reduction::mean;  ///< the mean is over all rows; 0 if there are none
};
/// Cross entropy with targets that give each class a weight, as mixed images have: minus the sum over classes of target
/// times log-probability under softmax(logits), by row. Weights are not negative, and add up to 1 as a rule.   logits,
/// targets: [N, V] of one dtype  result: scalar
Tensor soft_cross_entropy(const Tensor& logits, const Tensor& targets, SoftCrossEntropyOptions options = {});

// --- attention (ops/attention.cc)

struct AttentionOptions {
  Mask mask = {};
  /// The sequences of packed queries and keys. Left out: of [B, T, H, D] tensors each b is a sequence, a [T, H, D]
  /// tensor is one.
  Bounds query_bounds = {};
  Bounds key_bounds = {};
  /// Dropout on the weights, under a training tape.
  double dropout = 0;
  /// Of the scores; 1 / sqrt(D) if not given.
  std::optional<double> scale = {};
};
/// softmax(scale Q K' + mask) V by sequence and head (Vaswani et al. 2017), in memory linear in T.
/// query: [B, Tq, H, D] or packed [rows, H, D]  key: [B, Tk, H, D]  value: [B, Tk, H, Dv]  result: [B, Tq, H, Dv], or
/// packed like the query
Tensor scaled_dot_product_attention(const Tensor& query, const Tensor& key, const Tensor& value,
                                    const AttentionOptions& options = {});
/// The weights softmax(scale Q K' + mask), before dropout, with a gradient of their own.   result: [B, H, Tq, Tk],
/// padded with zeros
Tensor attention_weights(const Tensor& query, const Tensor& key, const AttentionOptions& options = {});
/// dropout(weights) V: the second half of the attention whose first half gave the weights.   weights: [B, H, Tq, Tk]
Tensor attention_mix(const Tensor& weights, const Tensor& value, const AttentionOptions& options = {});

/// Definitions of the fused ops in terms of simple ones: what their rules are when backward is recorded, and what tests
/// compare with.
namespace composed {

Tensor relu(const Tensor& x);
Tensor gelu(const Tensor& x);
Tensor gelu_tanh(const Tensor& x);
Tensor softmax(const Tensor& x);
Tensor log_softmax(const Tensor& x);
Tensor layer_norm(const Tensor& x, const Tensor& gamma, const Tensor& beta, double epsilon);
Tensor batch_norm(const Tensor& x, const Tensor& gamma, const Tensor& beta, double epsilon);
Tensor conv2d(const Tensor& x, const Tensor& weight, const Tensor& bias, const Conv2dOptions& options);
Tensor max_pool2d(const Tensor& x, const PoolOptions& options);
Tensor cross_entropy(const Tensor& logits, const Tensor& targets, CrossEntropyOptions options);
Tensor soft_cross_entropy(const Tensor& logits, const Tensor& targets, SoftCrossEntropyOptions options);
Tensor scaled_dot_product_attention(const Tensor& query, const Tensor& key, const Tensor& value,
                                    const AttentionOptions& options);

}  // namespace composed
}  // namespace mixtape
