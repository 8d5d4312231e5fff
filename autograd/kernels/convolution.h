#pragma once

#include <cstdint>

#include "autograd/kernels/gemm/gemm.h"
#include "autograd/kernels/windows.h"

namespace mixtape::kernels {

/// y[r, o] = the products of window r of x with weight[o] added up, plus bias[o]. The windows are laid out tile by tile
/// as the rows of a matrix product, never all at once.   x: images  weight: [out, w.size()]  bias: [out] or null  y:
/// [w.count(), out]
void conv2d(const Windows& w, const float* x, const float* weight, const float* bias, int64_t out, float* y,
            Factors factors = Factors::exact) noexcept;
void conv2d(const Windows& w, const double* x, const double* weight, const double* bias, int64_t out, double* y,
            Factors factors = Factors::exact) noexcept;

/// dx = fold(dy weight).
void conv2d_grad_x(const Windows& w, const float* dy, const float* weight, int64_t out, float* dx,
                   Factors factors = Factors::exact) noexcept;
void conv2d_grad_x(const Windows& w, const double* dy, const double* weight, int64_t out, double* dx,
                   Factors factors = Factors::exact) noexcept;

/// dweight = dy' unfold(x).   partial: room for conv2d_pieces(w, out) out w.size() numbers
void conv2d_grad_weight(const Windows& w, const float* x, const float* dy, int64_t out, float* dweight, float* partial,
                        Factors factors = Factors::exact) noexcept;
void conv2d_grad_weight(const Windows& w, const double* x, const double* dy, int64_t out, double* dweight,
                        double* partial, Factors factors = Factors::exact) noexcept;
int64_t conv2d_pieces(const Windows& w, int64_t out);

}  // namespace mixtape::kernels
