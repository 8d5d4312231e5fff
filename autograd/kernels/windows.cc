#include "autograd/kernels/windows.h"

#include <cstring>

#include "autograd/kernels/parallel.h"

namespace mixtape::kernels {
namespace {

constexpr int64_t kWork = 1 << 14;  // elements moved by a piece

}  // namespace

template <class T>
void unfold_tile(const Windows& w, const T* x, int64_t first, int64_t last, T* y) noexcept {
  const int64_t pixels = w.window_height * w.window_width, c = w.channels;
  for (int64_t window = first; window < last; ++window, y += w.size()) {
    int64_t covered = 0;
    for_each_run(w, window, [&](int64_t, int64_t, int64_t length) { covered += length; });
    if (covered < pixels) std::fill_n(y, w.size(), T(0));
    for_each_run(w, window, [=](int64_t place, int64_t pixel, int64_t length) {
      std::memcpy(y + place * c, x + pixel * c, static_cast<size_t>(length * c) * sizeof(T));
    });
  }
}

template <class T>
void fold_tile(const Windows& w, const T* y, int64_t first, int64_t last, T* x) noexcept {
  const int64_t c = w.channels;
  for (int64_t window = first; window < last; ++window, y += w.size()) {
    for_each_run(w, window, [=](int64_t place, int64_t pixel, int64_t length) {
      const T* from = y + place * c;
      T* to = x + pixel * c;
      for (int64_t i = 0; i < length * c; ++i) to[i] += from[i];
    });
  }
}

template <class T>
void unfold(const Windows& w, const T* x, T* y) noexcept {
  parallel_for(w.count(), grain_for(w.size(), kWork),
               [=](int64_t first, int64_t last) { unfold_tile(w, x, first, last, y + first * w.size()); });
}

// Windows of one image overlap, those of two do not.
template <class T>
void fold(const Windows& w, const T* y, T* x) noexcept {
  const int64_t windows = w.per_image();
  parallel_for(w.batch, grain_for(windows * w.size() + w.image_size(), kWork), [=](int64_t first, int64_t last) {
    std::fill(x + first * w.image_size(), x + last * w.image_size(), T(0));
    fold_tile(w, y + first * windows * w.size(), first * windows, last * windows, x);
  });
}

template <class T>
void max_pool(const Windows& w, const T* x, T* y, int32_t* pixels) noexcept {
  const int64_t c = w.channels, plane = w.height * w.width;
  parallel_for(w.count(), grain_for(w.size(), kWork), [=](int64_t first, int64_t last) {
    for (int64_t window = first; window < last; ++window) {
      T* best = y + window * c;
      int32_t* where = pixels + window * c;
      bool empty = true;
      for_each_run(w, window, [&](int64_t, int64_t pixel, int64_t length) {
        for (int64_t p = pixel; p < pixel + length; ++p) {
          const T* from = x + p * c;
          for (int64_t i = 0; i < c; ++i) {
            if (!empty && (best[i] != best[i] || from[i] <= best[i])) continue;
            best[i] = from[i];
            where[i] = static_cast<int32_t>(p % plane);
          }
          empty = false;
        }
      });
    }
  });
}

template <class T>
void max_pool_grad(const Windows& w, const T* dy, const int32_t* pixels, T* dx) noexcept {
  const int64_t c = w.channels, outputs = w.per_image() * c;
  parallel_for(w.batch, grain_for(outputs + w.image_size(), kWork), [=](int64_t first, int64_t last) {
    std::fill(dx + first * w.image_size(), dx + last * w.image_size(), T(0));
    for (int64_t image = first; image < last; ++image) {
      T* to = dx + image * w.image_size();
      for (int64_t i = image * outputs; i < (image + 1) * outputs; ++i) to[pixels[i] * c + i % c] += dy[i];
    }
  });
}

template void unfold(const Windows&, const float*, float*) noexcept;
template void unfold(const Windows&, const double*, double*) noexcept;
template void unfold_tile(const Windows&, const float*, int64_t, int64_t, float*) noexcept;
template void unfold_tile(const Windows&, const double*, int64_t, int64_t, double*) noexcept;
template void fold(const Windows&, const float*, float*) noexcept;
template void fold(const Windows&, const double*, double*) noexcept;
template void fold_tile(const Windows&, const float*, int64_t, int64_t, float*) noexcept;
template void fold_tile(const Windows&, const double*, int64_t, int64_t, double*) noexcept;
template void max_pool(const Windows&, const float*, float*, int32_t*) noexcept;
template void max_pool(const Windows&, const double*, double*, int32_t*) noexcept;
template void max_pool_grad(const Windows&, const float*, const int32_t*, float*) noexcept;
template void max_pool_grad(const Windows&, const double*, const int32_t*, double*) noexcept;

}  // namespace mixtape::kernels
