#pragma once

#include <algorithm>
#include <cstdint>

namespace mixtape::kernels {

/// Windows that slide over images [batch, height, width, channels] in steps of `stride` pixels, the first of each row
/// and column beginning `padding` pixels outside. They are numbered image by image, row by row; the numbers of one
/// window are [window_height, window_width, channels].
struct Windows {
  int64_t batch = 0, height = 0, width = 0, channels = 0;
  int64_t window_height = 1, window_width = 1, stride = 1, padding = 0;

  int64_t rows() const { return (height + 2 * padding - window_height) / stride + 1; }
  int64_t columns() const { return (width + 2 * padding - window_width) / stride + 1; }
  int64_t per_image() const { return rows() * columns(); }
  int64_t count() const { return batch * per_image(); }
  int64_t size() const { return window_height * window_width * channels; }
  int64_t image_size() const { return height * width * channels; }
};

/// Calls f(place, pixel, length) for each row of a window that meets its image: the window's pixels [place, place +
/// length) are those from `pixel` of the batch on.
template <class F>
void for_each_run(const Windows& w, int64_t window, const F& f) {
  const int64_t image = window / w.per_image(), within = window % w.per_image();
  const int64_t top = within / w.columns() * w.stride - w.padding, left = within % w.columns() * w.stride - w.padding;
  const int64_t first = std::max<int64_t>(0, -left), last = std::min(w.window_width, w.width - left);
  if (first >= last) return;
  for (int64_t u = std::max<int64_t>(0, -top); u < std::min(w.window_height, w.height - top); ++u)
    f(u * w.window_width + first, (image * w.height + top + u) * w.width + left + first, last - first);
}

/// Copies each window of x one after the other to y, 0 for what lies outside of the image.   x: images  y: [count,
/// size]
void unfold(const Windows& w, const float* x, float* y) noexcept;
void unfold(const Windows& w, const double* x, double* y) noexcept;
/// The same for windows [first, last) only, on the calling thread.   y: [last - first, size]
void unfold_tile(const Windows& w, const float* x, int64_t first, int64_t last, float* y) noexcept;
void unfold_tile(const Windows& w, const double* x, int64_t first, int64_t last, double* y) noexcept;

/// x = for each pixel the sum of what the windows that hold it have in its place, in the order of the windows: the
/// reverse of unfold.   y: [count, size]  x: images
void fold(const Windows& w, const float* y, float* x) noexcept;
void fold(const Windows& w, const double* y, double* x) noexcept;
/// Adds windows [first, last) to x, on the calling thread.   y: [last - first, size]
void fold_tile(const Windows& w, const float* y, int64_t first, int64_t last, float* x) noexcept;
void fold_tile(const Windows& w, const double* y, int64_t first, int64_t last, double* x) noexcept;

/// y = by channel the largest number in each window that lies within the image, and the pixel of its image where it
/// stands: the first of equals; a NaN counts as largest. Each window meets its image.   y, pixels: [count, channels]
void max_pool(const Windows& w, const float* x, float* y, int32_t* pixels) noexcept;
void max_pool(const Windows& w, const double* x, double* y, int32_t* pixels) noexcept;

/// dx = zeros, to which each dy is added at its pixel.
void max_pool_grad(const Windows& w, const float* dy, const int32_t* pixels, float* dx) noexcept;
void max_pool_grad(const Windows& w, const double* dy, const int32_t* pixels, double* dx) noexcept;

}  // namespace mixtape::kernels
