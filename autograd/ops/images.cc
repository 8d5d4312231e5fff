#include <cmath>

#include "autograd/kernels/convolution.h"
#include "autograd/kernels/windows.h"
#include "autograd/ops/internal/common.h"
#include "autograd/ops/internal/products.h"
#include "autograd/tape/flops.h"

namespace mixtape {
namespace {

using kernels::Windows;

// The windows on images of a shape; throws, for `op`, if there are none.
Windows windows_on(const char* op, const Shape& images, const WindowOptions& options) {
  if (images.rank() != 4) fail(fmt::format("{}: images {}, expected [B, H, W, C]", op, to_string(images)));
  const Windows w{.batch = images[0],
                  .height = images[1],
                  .width = images[2],
                  .channels = images[3],
                  .window_height = options.height,
                  .window_width = options.width,
                  .stride = options.stride,
                  .padding = options.padding};
  if (w.window_height < 1 || w.window_width < 1 || w.stride < 1 || w.padding < 0) {
    fail(fmt::format("{}: windows of {} x {}, stride {} and padding {}, expected at least 1, 1, 1 and 0", op,
                     w.window_height, w.window_width, w.stride, w.padding));
  }
  if (w.window_height > w.height + 2 * w.padding || w.window_width > w.width + 2 * w.padding) {
    fail(fmt::format("{}: windows of {} x {} do not fit images {} with padding {}", op, w.window_height, w.window_width,
                     to_string(images), w.padding));
  }
  return w;
}

Shape shape_of(const Windows& w, int64_t last) { return {w.batch, w.rows(), w.columns(), last}; }

WindowOptions window_of(const char* op, const PoolOptions& pool) {
  if (pool.padding >= std::max<int64_t>(pool.size, 1))
    fail(fmt::format("{}: padding {} for windows of {}, expected less", op, pool.padding, pool.size));
  return {pool.size, pool.size, pool.stride == 0 ? pool.size : pool.stride, pool.padding};
}

// What each window holds, a pixel after the other: [B, H', W', height width, C].
Tensor pixels_of_windows(const Tensor& x, const WindowOptions& window) {
  const Tensor all = unfold(x, window);
  return reshape(all, {x.size(0), all.size(1), all.size(2), window.height * window.width, x.size(3)});
}

}  // namespace

Tensor unfold(const Tensor& x, const WindowOptions& window) {
  check_differentiable("unfold", x);
  const Windows w = windows_on("unfold", x.shape(), window);
  Tensor y = Tensor::uninitialized(shape_of(w, w.size()), x.dtype());
  dispatch(x.dtype(), [&]<class T>(T) { kernels::unfold(w, x.data<T>(), y.mutable_data<T>()); });
  return record("unfold", {x}, y,
                Rule(x, Save{}, [shape = x.shape(), window](const Tensor& dy) { return fold(dy, shape, window); }));
}

Tensor fold(const Tensor& windows, const Shape& shape, const WindowOptions& window) {
  check_differentiable("fold", windows);
  const Windows w = windows_on("fold", shape, window);
  if (!(windows.shape() == shape_of(w, w.size()))) {
    fail(fmt::format("fold: {} to images {}, expected {}", to_string(windows.shape()), to_string(shape),
                     to_string(shape_of(w, w.size()))));
  }
  Tensor x = Tensor::uninitialized(shape, windows.dtype());
  dispatch(x.dtype(), [&]<class T>(T) { kernels::fold(w, windows.data<T>(), x.mutable_data<T>()); });
  return record("fold", {windows}, x, Rule(windows, Save{}, [window](const Tensor& dx) { return unfold(dx, window); }));
}

Tensor patches(const Tensor& x, int64_t size) {
  const Shape& shape = x.shape();
  if (shape.rank() != 4 || size < 1 || shape[1] % size != 0 || shape[2] % size != 0) {
    fail(fmt::format("patches: {} in patches of {} x {}, expected [B, H, W, C] with H and W multiples of it",
                     to_string(shape), size, size));
  }
  const int64_t count = shape[1] / size * (shape[2] / size);
  return reshape(unfold(x, {size, size, size}), {shape[0], count, size * size * shape[3]});
}

Tensor conv2d(const Tensor& x, const Tensor& weight, const Tensor& bias, const Conv2dOptions& options) {
  check_same_dtype("conv2d", x, weight);
  if (bias) check_same_dtype("conv2d", x, bias);
  if (x.rank() != 4 || weight.rank() != 4 || x.size(3) != weight.size(3)) {
    fail(fmt::format("conv2d: images {} and weight {}, expected [B, H, W, C] and [O, height, width, C]",
                     to_string(x.shape()), to_string(weight.shape())));
  }
  const int64_t out = weight.size(0);
  if (bias && !(bias.shape() == Shape{out})) {
    fail(fmt::format("conv2d: bias {} for weight {}, expected [{}]", to_string(bias.shape()), to_string(weight.shape()),
                     out));
  }
  const Windows w = windows_on("conv2d", x.shape(), {weight.size(1), weight.size(2), options.stride, options.padding});
  Tensor y = Tensor::uninitialized(shape_of(w, out), x.dtype());
  count_flops(2 * y.elements() * w.size());
  dispatch(x.dtype(), [&]<class T>(T) {
    kernels::conv2d(w, x.data<T>(), weight.data<T>(), bias ? bias.data<T>() : nullptr, out, y.mutable_data<T>(),
                    product_precision());
  });
  return record(
      "conv2d", {x, weight, bias}, y,
      {Rule(weight, Save{x},
            [w, out](const Tensor& dy, const Tensor& x, Gradient& dweight) {  // dW = dY' unfold(X)
              const Tensor partial = Tensor::uninitialized({kernels::conv2d_pieces(w, out), out * w.size()}, x.dtype());
              dispatch(x.dtype(), [&]<class T>(T) {
                kernels::conv2d_grad_weight(w, x.data<T>(), dy.data<T>(), out, dweight.data<T>(),
                                            partial.mutable_data<T>(), product_precision());
              });
            }),
       Rule(bias, Save{},
            [w, out](const Tensor& dy) {
              return sum(reshape(dy, {w.count(), out}), 0);
            }),
       Rule(x, Save{weight},
            [w, out](const Tensor& dy, const Tensor& weight, Gradient& dx) {  // dX = fold(dY W)
              dispatch(dy.dtype(), [&]<class T>(T) {
                kernels::conv2d_grad_x(w, dy.data<T>(), weight.data<T>(), out, dx.data<T>(), product_precision());
              });
            })},
      [options](const Tensor& x, const Tensor& weight, const Tensor& bias) {
        return composed::conv2d(x, weight, bias, options);
      });
}

Tensor composed::conv2d(const Tensor& x, const Tensor& weight, const Tensor& bias, const Conv2dOptions& options) {
  const Tensor windows = unfold(x, {weight.size(1), weight.size(2), options.stride, options.padding});
  return linear(windows, reshape(weight, {weight.size(0), windows.size(-1)}), bias);
}

Tensor max_pool2d(const Tensor& x, const PoolOptions& options) {
  check_differentiable("max_pool2d", x);
  const Windows w = windows_on("max_pool2d", x.shape(), window_of("max_pool2d", options));
  Tensor y = Tensor::uninitialized(shape_of(w, w.channels), x.dtype());
  Tensor pixels = Tensor::uninitialized(y.shape(), i32);
  dispatch(x.dtype(),
           [&]<class T>(T) { kernels::max_pool(w, x.data<T>(), y.mutable_data<T>(), pixels.mutable_data<int32_t>()); });
  return record("max_pool2d", {x}, y,
                Rule(x, Save{pixels},
                     [w](const Tensor& dy, const Tensor& pixels, Gradient& dx) {  // dx = dy, where each came from
                       dispatch(dy.dtype(), [&]<class T>(T) {
                         kernels::max_pool_grad(w, dy.data<T>(), pixels.data<int32_t>(), dx.data<T>());
                       });
                     }),
                [options](const Tensor& x) { return composed::max_pool2d(x, options); });
}

Tensor composed::max_pool2d(const Tensor& x, const PoolOptions& options) {
  const WindowOptions window = window_of("max_pool2d", options);
  const Tensor inside = pixels_of_windows(Tensor::ones(x.shape(), x.dtype()), window);
  const Tensor lowest = Tensor::scalar(-INFINITY, x.dtype());
  const Tensor seen = greater(inside, Tensor::zeros(inside.shape(), x.dtype()));
  return max(where(seen, pixels_of_windows(x, window), lowest), 3);
}

Tensor average_pool2d(const Tensor& x, const PoolOptions& options) {
  check_differentiable("average_pool2d", x);
  const WindowOptions window = window_of("average_pool2d", options);
  windows_on("average_pool2d", x.shape(), window);
  const Tensor sums = sum(pixels_of_windows(x, window), 3);
  if (window.padding == 0) return sums / static_cast<double>(window.height * window.width);
  const Tensor one = Tensor::ones({1, x.size(1), x.size(2), 1}, x.dtype());
  return sums / sum(pixels_of_windows(one, window), 3);
}

}  // namespace mixtape
