#include "autograd/kernels/elementwise.h"

#include <cmath>

#include "autograd/kernels/convert.h"
#include "autograd/kernels/dispatch.h"
#include "autograd/kernels/parallel.h"
#include "hwy/cache_control.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "autograd/kernels/elementwise.cc"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
//
#include "autograd/kernels/erf-inl.h"
#include "autograd/kernels/exp-inl.h"
#include "autograd/kernels/simd-inl.h"
#include "hwy/contrib/math/math-inl.h"

HWY_BEFORE_NAMESPACE();
namespace mixtape::kernels::HWY_NAMESPACE {
namespace {

constexpr double kSqrt2OverPi = 0.79788456080286535588;  // sqrt(2 / pi)
constexpr double kInverseSqrt2 = 0.70710678118654752440;
constexpr double kInverseSqrt2Pi = 0.39894228040143267794;
constexpr double kGeluCubic = 0.044715;

// gelu(x) = x (1 + erf(x / sqrt 2)) / 2
struct Gelu {
  template <class D, class V>
  HWY_INLINE V operator()(D d, V x) const {
    using T = hn::TFromD<D>;
    const V half = hn::Set(d, T(0.5));
    return hn::Mul(x, hn::MulAdd(half, erf_of(d, hn::Mul(x, hn::Set(d, T(kInverseSqrt2)))), half));
  }
};

// gelu'(x) = (1 + erf(x / sqrt 2)) / 2 + x exp(-x^2 / 2) / sqrt(2 pi)
struct GeluSlope {
  template <class D, class V>
  HWY_INLINE V operator()(D d, V x) const {
    using T = hn::TFromD<D>;
    if constexpr (sizeof(T) == sizeof(float)) {
      return gelu_slope_of(d, x);
    } else {
      const V half = hn::Set(d, T(0.5));
      const V area = hn::MulAdd(half, erf_of(d, hn::Mul(x, hn::Set(d, T(kInverseSqrt2)))), half);
      const V density =
          hn::Mul(hn::Exp(d, hn::Mul(hn::Mul(x, x), hn::Set(d, T(-0.5)))), hn::Set(d, T(kInverseSqrt2Pi)));
      return hn::MulAdd(x, density, area);
    }
  }
};

// t = tanh(sqrt(2/pi) (x + 0.044715 x^3)), which gelu_tanh and its slope share
template <class D, class V>
HWY_INLINE V gelu_tanh_inner(D d, V x) {
  using T = hn::TFromD<D>;
  const V cubic = hn::MulAdd(hn::Mul(x, x), hn::Set(d, T(kGeluCubic)), hn::Set(d, T(1)));
  return hn::Tanh(d, hn::Mul(hn::Mul(x, cubic), hn::Set(d, T(kSqrt2OverPi))));
}

struct GeluTanh {
  template <class D, class V>
  HWY_INLINE V operator()(D d, V x) const {
    const V half = hn::Set(d, hn::TFromD<D>(0.5));
    return hn::Mul(x, hn::MulAdd(half, gelu_tanh_inner(d, x), half));
  }
};

// (1 + t) / 2 + x (1 - t^2) / 2 * sqrt(2/pi) (1 + 3 * 0.044715 x^2). Beyond 100, where 1 - t^2 is 0, the last factor
// is held constant, lest it overflow.
struct GeluTanhSlope {
  template <class D, class V>
  HWY_INLINE V operator()(D d, V x) const {
    using T = hn::TFromD<D>;
    const V half = hn::Set(d, T(0.5)), one = hn::Set(d, T(1));
    const V t = gelu_tanh_inner(d, x), c = hn::Min(hn::Abs(x), hn::Set(d, T(100)));
    const V inner =
        hn::MulAdd(hn::Mul(c, c), hn::Set(d, T(3 * kGeluCubic * kSqrt2OverPi)), hn::Set(d, T(kSqrt2OverPi)));
    const V bend = hn::Mul(hn::Mul(x, hn::NegMulAdd(t, t, one)), inner);
    return hn::Mul(half, hn::Add(hn::Add(one, t), bend));
  }
};

struct Relu {
  template <class D, class V>
  HWY_INLINE V operator()(D d, V x) const {
    return hn::IfThenZeroElse(hn::Lt(x, hn::Zero(d)), x);  // keeps a NaN
  }
};

struct ReluSlope {
  template <class D, class V>
  HWY_INLINE V operator()(D d, V x) const {
    return hn::IfThenElseZero(hn::Gt(x, hn::Zero(d)), hn::Set(d, hn::TFromD<D>(1)));
  }
};

// Highway's Exp is finite where the result overflows.
struct ExpOf {
  template <class D, class V>
  HWY_INLINE V operator()(D d, V x) const {
    using T = hn::TFromD<D>;
    const V largest = hn::Set(d, sizeof(T) == 4 ? T(88.72283) : T(709.782712893384));
    return hn::IfThenElse(hn::Gt(x, largest), hn::Inf(d), exp_of(d, x));
  }
};

// Highway's Log is finite for 0, negative numbers and infinity.
struct LogOf {
  template <class D, class V>
  HWY_INLINE V operator()(D d, V x) const {
    const V zero = hn::Zero(d), infinity = hn::Inf(d);
    V y = hn::Log(d, x);
    y = hn::IfThenElse(hn::Eq(x, infinity), x, y);
    y = hn::IfThenElse(hn::Eq(x, zero), hn::Neg(infinity), y);
    return hn::IfThenElse(hn::Or(hn::Lt(x, zero), hn::IsNaN(x)), hn::NaN(d), y);
  }
};

struct TanhOf {
  template <class D, class V>
  HWY_INLINE V operator()(D d, V x) const {
    return hn::IfThenElse(hn::IsNaN(x), x, hn::Tanh(d, x));
  }
};

struct SqrtOf {
  template <class D, class V>
  HWY_INLINE V operator()(D, V x) const {
    return hn::Sqrt(x);
  }
};

struct ErfOf {
  template <class D, class V>
  HWY_INLINE V operator()(D d, V x) const {
    return erf_of(d, x);
  }
};

template <class T, class F>
HWY_NOINLINE void multiply_by_slope(F slope, const T* x, const T* dy, T* dx, int64_t n) {
  for_lanes<T>(n, [=](auto d, int64_t i) HWY_ATTR {
    hn::StoreU(hn::Mul(hn::LoadU(d, dy + i), slope(d, hn::LoadU(d, x + i))), d, dx + i);
  });
}

// Prefetches the rows to come.
template <class T, class F>
HWY_NOINLINE void map_rows(F f, const T* x, int64_t x_stride, T* y, int64_t rows, int64_t n) {
  for (int64_t row = 0; row < rows; ++row) {
    const T* from = x + row * x_stride;
    T* to = y + row * n;
    const T* soon = from + (n <= 64 ? 8 : 2) * x_stride;
    for_lanes<T>(n, [=](auto d, int64_t i) HWY_ATTR {
      hwy::Prefetch(soon + i);
      hn::StoreU(f(d, hn::LoadU(d, from + i)), d, to + i);
    });
  }
}

template <class T>
void unary_matrix(Unary f, const T* x, int64_t x_stride, T* y, int64_t rows, int64_t n) {
  switch (f) {
    case Unary::exp:
      return map_rows(ExpOf(), x, x_stride, y, rows, n);
    case Unary::log:
      return map_rows(LogOf(), x, x_stride, y, rows, n);
    case Unary::sqrt:
      return map_rows(SqrtOf(), x, x_stride, y, rows, n);
    case Unary::tanh:
      return map_rows(TanhOf(), x, x_stride, y, rows, n);
    case Unary::erf:
      return map_rows(ErfOf(), x, x_stride, y, rows, n);
    case Unary::relu:
      return map_rows(Relu(), x, x_stride, y, rows, n);
    case Unary::gelu:
      return map_rows(Gelu(), x, x_stride, y, rows, n);
    case Unary::gelu_tanh:
      return map_rows(GeluTanh(), x, x_stride, y, rows, n);
  }
}

template <class T>
void unary_grad_run(Unary f, const T* x, const T* dy, T* dx, int64_t n) {
  if (f == Unary::relu) return multiply_by_slope(ReluSlope(), x, dy, dx, n);
  if (f == Unary::gelu) return multiply_by_slope(GeluSlope(), x, dy, dx, n);
  return multiply_by_slope(GeluTanhSlope(), x, dy, dx, n);
}

template <class T>
void affine_run(const T* x, T scale, T shift, T* y, int64_t n) {
  for_lanes<T>(n, [=](auto d, int64_t i) HWY_ATTR {
    hn::StoreU(hn::MulAdd(hn::LoadU(d, x + i), hn::Set(d, scale), hn::Set(d, shift)), d, y + i);
  });
}

// One run along the last axis, in which each operand advances (stride 1) or is broadcast (stride 0).
template <class T, class F>
HWY_NOINLINE void zip(F f, const T* a, int64_t a_stride, const T* b, int64_t b_stride, T* y, int64_t n) {
  if (a_stride == 1 && b_stride == 1) {
    for_lanes<T>(
        n, [=](auto d, int64_t i) HWY_ATTR { hn::StoreU(f(hn::LoadU(d, a + i), hn::LoadU(d, b + i)), d, y + i); });
  } else if (a_stride == 1) {
    const T same = *b;
    for_lanes<T>(n,
                 [=](auto d, int64_t i) HWY_ATTR { hn::StoreU(f(hn::LoadU(d, a + i), hn::Set(d, same)), d, y + i); });
  } else if (b_stride == 1) {
    const T same = *a;
    for_lanes<T>(n,
                 [=](auto d, int64_t i) HWY_ATTR { hn::StoreU(f(hn::Set(d, same), hn::LoadU(d, b + i)), d, y + i); });
  } else {
    const T u = *a, v = *b;
    for_lanes<T>(n, [=](auto d, int64_t i) HWY_ATTR { hn::StoreU(f(hn::Set(d, u), hn::Set(d, v)), d, y + i); });
  }
}

template <class T>
void binary_run(Binary f, const T* a, int64_t a_stride, const T* b, int64_t b_stride, T* y, int64_t n) {
  const auto run = [=](auto op) { zip(op, a, a_stride, b, b_stride, y, n); };
  switch (f) {
    case Binary::add:
      return run([](auto u, auto v) HWY_ATTR { return hn::Add(u, v); });
    case Binary::subtract:
      return run([](auto u, auto v) HWY_ATTR { return hn::Sub(u, v); });
    case Binary::multiply:
      return run([](auto u, auto v) HWY_ATTR { return hn::Mul(u, v); });
    case Binary::divide:
      return run([](auto u, auto v) HWY_ATTR { return hn::Div(u, v); });
  }
}

template <class T>
void select_run(const int32_t* condition, const T* a, const T* b, T* y, int64_t n) {
  for (int64_t i = 0; i < n; ++i) y[i] = condition[i] != 0 ? a[i] : b[i];
}

}  // namespace
}  // namespace mixtape::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace mixtape::kernels {
namespace {

constexpr int64_t kGrain = 1 << 14;          // elements of cheap arithmetic
constexpr int64_t kFunctionGrain = 1 << 12;  // elements of exp, erf and the like

// Merges adjacent axes that both operands traverse contiguously (or that broadcast both), for the longest runs.
BroadcastLoop merge_axes(const BroadcastLoop& loop) {
  BroadcastLoop merged;
  for (int axis = 0; axis < loop.rank; ++axis) {
    const int64_t n = loop.sizes[axis];
    if (n == 1) continue;
    const int last = merged.rank - 1;
    if (last >= 0 && merged.a_strides[last] == n * loop.a_strides[axis] &&
        merged.b_strides[last] == n * loop.b_strides[axis]) {
      merged.sizes[last] *= n;
      merged.a_strides[last] = loop.a_strides[axis];
      merged.b_strides[last] = loop.b_strides[axis];
    } else {
      merged.sizes[merged.rank] = n;
      merged.a_strides[merged.rank] = loop.a_strides[axis];
      merged.b_strides[merged.rank++] = loop.b_strides[axis];
    }
  }
  if (merged.rank == 0) {
    merged.sizes[0] = 1;
    merged.rank = 1;
  }
  return merged;
}

// Where the operands of run `index` along the last axis start.
struct Offsets {
  int64_t a = 0, b = 0;

  Offsets(const BroadcastLoop& loop, int64_t index) {
    for (int axis = loop.rank - 2; axis >= 0; --axis) {
      const int64_t i = index % loop.sizes[axis];
      index /= loop.sizes[axis];
      a += i * loop.a_strides[axis];
      b += i * loop.b_strides[axis];
    }
  }
};

}  // namespace

template <class T>
void unary(Unary f, const T* x, T* y, int64_t n) noexcept {
  const auto kernel = MIXTAPE_KERNEL(unary_matrix<T>);
  const bool cheap = sizeof(T) == sizeof(float) && (f == Unary::relu || f == Unary::sqrt);
  parallel_for(n, cheap ? kGrain : kFunctionGrain,
               [=](int64_t i, int64_t end) { kernel(f, x + i, 0, y + i, 1, end - i); });
}

void unary(Unary f, const uint16_t* x, float* y, int64_t n) noexcept {
  const auto kernel = MIXTAPE_KERNEL(unary_matrix<float>);
  parallel_for(n, kFunctionGrain, [=](int64_t i, int64_t end) {
    widen_bf16(x + i, y + i, end - i);
    kernel(f, y + i, 0, y + i, 1, end - i);
  });
}

template <class T>
void unary_rows(Unary f, const T* x, int64_t x_stride, T* y, int64_t rows, int64_t n) noexcept {
  MIXTAPE_KERNEL(unary_matrix<T>)(f, x, x_stride, y, rows, n);
}

template <class T>
void unary_grad(Unary f, const T* x, const T* dy, T* dx, int64_t n) noexcept {
  const auto kernel = MIXTAPE_KERNEL(unary_grad_run<T>);
  const bool cheap = sizeof(T) == sizeof(float) && f == Unary::relu;
  parallel_for(n, cheap ? kGrain : kFunctionGrain,
               [=](int64_t i, int64_t end) { kernel(f, x + i, dy + i, dx + i, end - i); });
}

void unary_grad(Unary f, const uint16_t* x, const float* dy, float* dx, int64_t n) noexcept {
  const auto kernel = MIXTAPE_KERNEL(unary_grad_run<float>);
  parallel_for(n, kFunctionGrain, [=](int64_t i, int64_t end) {
    float wide[kFunctionGrain];
    widen_bf16(x + i, wide, end - i);
    kernel(f, wide, dy + i, dx + i, end - i);
  });
}

template <class T>
void affine(const T* x, double scale, double shift, T* y, int64_t n) noexcept {
  const auto kernel = MIXTAPE_KERNEL(affine_run<T>);
  parallel_for(n, kGrain, [=](int64_t i, int64_t end) {
    kernel(x + i, static_cast<T>(scale), static_cast<T>(shift), y + i, end - i);
  });
}

template <class T>
void binary(Binary f, const BroadcastLoop& given, const T* a, const T* b, T* y) noexcept {
  const auto kernel = MIXTAPE_KERNEL(binary_run<T>);
  const BroadcastLoop loop = merge_axes(given);
  const int inner = loop.rank - 1;
  const int64_t n = loop.sizes[inner], a_stride = loop.a_strides[inner], b_stride = loop.b_strides[inner];
  if (inner == 0) {
    return parallel_for(n, kGrain, [=](int64_t i, int64_t end) {
      kernel(f, a + i * a_stride, a_stride, b + i * b_stride, b_stride, y + i, end - i);
    });
  }
  int64_t runs = 1;
  for (int axis = 0; axis < inner; ++axis) runs *= loop.sizes[axis];
  parallel_for(runs, grain_for(n, kGrain), [&](int64_t first, int64_t last) {
    for (int64_t run = first; run < last; ++run) {
      const Offsets at(loop, run);
      kernel(f, a + at.a, a_stride, b + at.b, b_stride, y + run * n, n);
    }
  });
}

template <class T>
void select(const int32_t* condition, const T* a, const T* b, T* y, int64_t n) noexcept {
  const auto kernel = MIXTAPE_KERNEL(select_run<T>);
  parallel_for(n, kGrain, [=](int64_t i, int64_t end) { kernel(condition + i, a + i, b + i, y + i, end - i); });
}

template void unary(Unary, const float*, float*, int64_t) noexcept;
template void unary(Unary, const double*, double*, int64_t) noexcept;
template void unary_rows(Unary, const float*, int64_t, float*, int64_t, int64_t) noexcept;
template void unary_rows(Unary, const double*, int64_t, double*, int64_t, int64_t) noexcept;
template void unary_grad(Unary, const float*, const float*, float*, int64_t) noexcept;
template void unary_grad(Unary, const double*, const double*, double*, int64_t) noexcept;
template void affine(const float*, double, double, float*, int64_t) noexcept;
template void affine(const double*, double, double, double*, int64_t) noexcept;
template void binary(Binary, const BroadcastLoop&, const float*, const float*, float*) noexcept;
template void binary(Binary, const BroadcastLoop&, const double*, const double*, double*) noexcept;
template void select(const int32_t*, const float*, const float*, float*, int64_t) noexcept;
template void select(const int32_t*, const double*, const double*, double*, int64_t) noexcept;

}  // namespace mixtape::kernels
#endif
