#pragma once

#include <algorithm>
#include <cstdint>

namespace mixtape::kernels {

/// Windows over images [batch, height, width, channels], `stride` pixels apart, with `padding` pixels around each
/// image. They are numbered image by image, row by row; the elements of one are [window_height, window_width,
/// channels].
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

/// Calls f(place, pixel, length) for each row of a window that intersects its image: the window's pixels [place, place
/// + length) are the batch's pixels from `pixel` on.
template <class F>
void for_each_run(const Windows& w, int64_t window, const F& f) {
  const int64_t image = window / w.per_image(), within = window % w.per_image();
  const int64_t top = within / w.columns() * w.stride - w.padding, left = within % w.columns() * w.stride - w.padding;
  const int64_t first = std::max<int64_t>(0, -left), last = std::min(w.window_width, w.width - left);
  if (first >= last) return;
  for (int64_t u = std::max<int64_t>(0, -top); u < std::min(w.window_height, w.height - top); ++u)
    f(u * w.window_width + first, (image * w.height + top + u) * w.width + left + first, last - first);
}

/// y[i] = window i of x, 0 outside of the image.   x: images  y: [count, size]
template <class T>
void unfold(const Windows& w, const T* x, T* y) noexcept;
/// Windows [first, last) only, on the calling thread.   y: [last - first, size]
template <class T>
void unfold_tile(const Windows& w, const T* x, int64_t first, int64_t last, T* y) noexcept;

/// x = at each pixel the sum, in the order of the windows, of what they hold there: the transpose of unfold.   y:
/// [count, size]  x: images
template <class T>
void fold(const Windows& w, const T* y, T* x) noexcept;
/// Adds windows [first, last) to x, on the calling thread.   y: [last - first, size]
template <class T>
void fold_tile(const Windows& w, const T* y, int64_t first, int64_t last, T* x) noexcept;

/// y = by channel the maximum of each window within the image, pixels = where in its image it is: the first of equals;
/// a NaN counts as largest. Each window intersects its image.   y, pixels: [count, channels]
template <class T>
void max_pool(const Windows& w, const T* x, T* y, int32_t* pixels) noexcept;

/// dx = 0, plus each dy at its pixel.
template <class T>
void max_pool_grad(const Windows& w, const T* dy, const int32_t* pixels, T* dx) noexcept;

}  // namespace mixtape::kernels
