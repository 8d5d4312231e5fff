#pragma once

#include <cstdint>
#include <type_traits>

#include "autograd/kernels/gemm/gemm.h"
#include "autograd/kernels/windows.h"

namespace mixtape::kernels {

/// y[r, o] = sum_i unfold(x)[r, i] weight[o, i] + bias[o]. Windows are unfolded tile by tile, never all at once.
/// x: images  weight: [out, w.size()]  bias: [out] or null  y: [w.count(), out]
template <class T>
void conv2d(const Windows& w, const T* x, const T* weight, const std::type_identity_t<T>* bias, int64_t out, T* y,
            Precision precision = Precision::full) noexcept;

/// dx = fold(dy weight).
template <class T>
void conv2d_grad_x(const Windows& w, const T* dy, const T* weight, int64_t out, T* dx,
                   Precision precision = Precision::full) noexcept;

/// dweight = dy' unfold(x).   partial: [conv2d_pieces(w, out), out, w.size()], a workspace
template <class T>
void conv2d_grad_weight(const Windows& w, const T* x, const T* dy, int64_t out, T* dweight, T* partial,
                        Precision precision = Precision::full) noexcept;
int64_t conv2d_pieces(const Windows& w, int64_t out);

}  // namespace mixtape::kernels
