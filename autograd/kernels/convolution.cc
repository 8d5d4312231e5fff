#include "autograd/kernels/convolution.h"

#include "autograd/kernels/gemm/gemm.h"
#include "autograd/kernels/parallel.h"
#include "autograd/kernels/reduce.h"
#include "autograd/kernels/workspace.h"

namespace mixtape::kernels {
namespace {

// Windows unfolded at a time: enough for an efficient product, few enough for the L2 cache.
int64_t tile_of(const Windows& w) {
  constexpr int64_t kElements = 1 << 16, kMin = 16, kMax = 512;
  return std::clamp(kElements / std::max<int64_t>(1, w.size()), kMin, kMax);
}

int64_t tiles_of(const Windows& w) { return (w.count() + tile_of(w) - 1) / tile_of(w); }

// Tiles summed by one piece of the weight's gradient; each piece has its own partial sum.
int64_t tiles_per_piece(const Windows& w, int64_t out) {
  constexpr int64_t kElements = 1 << 22;  // of all partial sums
  const int64_t most = std::clamp<int64_t>(kElements / std::max<int64_t>(1, out * w.size()), 2, 8);
  return std::max<int64_t>(1, (tiles_of(w) + most - 1) / most);
}

}  // namespace

int64_t conv2d_pieces(const Windows& w, int64_t out) {
  return (tiles_of(w) + tiles_per_piece(w, out) - 1) / tiles_per_piece(w, out);
}

template <class T>
void conv2d(const Windows& w, const T* x, const T* weight, const std::type_identity_t<T>* bias, int64_t out, T* y,
            Precision precision) noexcept {
  const int64_t size = w.size();
  parallel_for(w.count(), tile_of(w), [=](int64_t first, int64_t last) {
    T* windows = workspace<T>(Workspace::convolution_windows, tile_of(w) * size);
    unfold_tile(w, x, first, last, windows);
    if (bias) {
      for (int64_t row = first; row < last; ++row) std::copy_n(bias, out, y + row * out);
    }
    gemm_tile(last - first, out, size, T(1), Operand<T>{windows, size}, Operand<T>{weight, size, true},
              bias ? T(1) : T(0), y + first * out, out, precision);
  });
}

template <class T>
void conv2d_grad_x(const Windows& w, const T* dy, const T* weight, int64_t out, T* dx, Precision precision) noexcept {
  const int64_t size = w.size(), per_image = w.per_image(), tile = tile_of(w);
  parallel_for(w.batch, 1, [=](int64_t image, int64_t) {
    T* windows = workspace<T>(Workspace::convolution_windows, tile * size);
    std::fill_n(dx + image * w.image_size(), w.image_size(), T(0));
    const int64_t end = (image + 1) * per_image;
    for (int64_t first = image * per_image; first < end; first += tile) {
      const int64_t last = std::min(end, first + tile);
      gemm_tile(last - first, size, out, T(1), Operand<T>{dy + first * out, out}, Operand<T>{weight, size}, T(0),
                windows, size, precision);
      fold_tile(w, windows, first, last, dx);
    }
  });
}

template <class T>
void conv2d_grad_weight(const Windows& w, const T* x, const T* dy, int64_t out, T* dweight, T* partial,
                        Precision precision) noexcept {
  const int64_t size = w.size(), tile = tile_of(w), stretch = tile * tiles_per_piece(w, out);
  parallel_for(w.count(), stretch, [=](int64_t begin, int64_t end) {
    T* windows = workspace<T>(Workspace::convolution_windows, tile * size);
    T* total = partial + begin / stretch * out * size;
    for (int64_t first = begin; first < end; first += tile) {
      const int64_t last = std::min(end, first + tile);
      unfold_tile(w, x, first, last, windows);
      gemm_tile(out, size, last - first, T(1), Operand<T>{dy + first * out, out, true}, Operand<T>{windows, size},
                first == begin ? T(0) : T(1), total, size, precision);
    }
  });
  sum(partial, dweight, 1, conv2d_pieces(w, out), out * size);
}

template void conv2d(const Windows&, const float*, const float*, const float*, int64_t, float*, Precision) noexcept;
template void conv2d(const Windows&, const double*, const double*, const double*, int64_t, double*, Precision) noexcept;
template void conv2d_grad_x(const Windows&, const float*, const float*, int64_t, float*, Precision) noexcept;
template void conv2d_grad_x(const Windows&, const double*, const double*, int64_t, double*, Precision) noexcept;
template void conv2d_grad_weight(const Windows&, const float*, const float*, int64_t, float*, float*,
                                 Precision) noexcept;
template void conv2d_grad_weight(const Windows&, const double*, const double*, int64_t, double*, double*,
                                 Precision) noexcept;

}  // namespace mixtape::kernels
