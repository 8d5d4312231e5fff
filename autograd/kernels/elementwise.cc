#include "autograd/kernels/elementwise.h"

#include <cmath>

#include "autograd/kernels/convert.h"
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
// stays as it is instead of growing to infinity.
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

// Highway's Exp gives finite nonsense where the result is too large for T.
struct ExpOf {
  template <class D, class V>
  HWY_INLINE V operator()(D d, V x) const {
    using T = hn::TFromD<D>;
    const V largest = hn::Set(d, sizeof(T) == 4 ? T(88.72283) : T(709.782712893384));
    return hn::IfThenElse(hn::Gt(x, largest), hn::Inf(d), exp_of(d, x));
  }
};

// Highway's Log gives finite nonsense for 0, negative numbers and infinity, so those are put right.
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
HWY_NOINLINE void map_times(F slope, const T* x, const T* dy, T* dx, int64_t n) {
  for_lanes<T>(n, [=](auto d, int64_t i) HWY_ATTR {
    hn::StoreU(hn::Mul(hn::LoadU(d, dy + i), slope(d, hn::LoadU(d, x + i))), d, dx + i);
  });
}

// Short rows far apart are asked for ahead of time.
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
void unary_of(Unary f, const T* x, int64_t x_stride, T* y, int64_t rows, int64_t n) {
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
void unary_grad_of(Unary f, const T* x, const T* dy, T* dx, int64_t n) {
  if (f == Unary::relu) return map_times(ReluSlope(), x, dy, dx, n);
  if (f == Unary::gelu) return map_times(GeluSlope(), x, dy, dx, n);
  return map_times(GeluTanhSlope(), x, dy, dx, n);
}

template <class T>
void affine_of(const T* x, T scale, T shift, T* y, int64_t n) {
  for_lanes<T>(n, [=](auto d, int64_t i) HWY_ATTR {
    hn::StoreU(hn::MulAdd(hn::LoadU(d, x + i), hn::Set(d, scale), hn::Set(d, shift)), d, y + i);
  });
}

// One run along the last axis, in which each operand either advances or stays.
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

struct AddOf {
  template <class V>
  HWY_INLINE V operator()(V a, V b) const {
    return hn::Add(a, b);
  }
};
struct SubtractOf {
  template <class V>
  HWY_INLINE V operator()(V a, V b) const {
    return hn::Sub(a, b);
  }
};
struct MultiplyOf {
  template <class V>
  HWY_INLINE V operator()(V a, V b) const {
    return hn::Mul(a, b);
  }
};
struct DivideOf {
  template <class V>
  HWY_INLINE V operator()(V a, V b) const {
    return hn::Div(a, b);
  }
};

template <class T>
void binary_run(Binary f, const T* a, int64_t a_stride, const T* b, int64_t b_stride, T* y, int64_t n) {
  switch (f) {
    case Binary::add:
      return zip(AddOf(), a, a_stride, b, b_stride, y, n);
    case Binary::subtract:
      return zip(SubtractOf(), a, a_stride, b, b_stride, y, n);
    case Binary::multiply:
      return zip(MultiplyOf(), a, a_stride, b, b_stride, y, n);
    case Binary::divide:
      return zip(DivideOf(), a, a_stride, b, b_stride, y, n);
  }
}

template <class T>
void select_of(const int32_t* condition, const T* a, const T* b, T* y, int64_t n) {
  for (int64_t i = 0; i < n; ++i) y[i] = condition[i] != 0 ? a[i] : b[i];
}

void unary_f32(Unary f, const float* x, int64_t x_stride, float* y, int64_t rows, int64_t n) {
  unary_of(f, x, x_stride, y, rows, n);
}
void unary_f64(Unary f, const double* x, int64_t x_stride, double* y, int64_t rows, int64_t n) {
  unary_of(f, x, x_stride, y, rows, n);
}
void unary_grad_f32(Unary f, const float* x, const float* dy, float* dx, int64_t n) { unary_grad_of(f, x, dy, dx, n); }
void unary_grad_f64(Unary f, const double* x, const double* dy, double* dx, int64_t n) {
  unary_grad_of(f, x, dy, dx, n);
}
void affine_f32(const float* x, float a, float b, float* y, int64_t n) { affine_of(x, a, b, y, n); }
void affine_f64(const double* x, double a, double b, double* y, int64_t n) { affine_of(x, a, b, y, n); }
void binary_f32(Binary f, const float* a, int64_t i, const float* b, int64_t j, float* y, int64_t n) {
  binary_run(f, a, i, b, j, y, n);
}
void binary_f64(Binary f, const double* a, int64_t i, const double* b, int64_t j, double* y, int64_t n) {
  binary_run(f, a, i, b, j, y, n);
}
void select_f32(const int32_t* c, const float* a, const float* b, float* y, int64_t n) { select_of(c, a, b, y, n); }
void select_f64(const int32_t* c, const double* a, const double* b, double* y, int64_t n) { select_of(c, a, b, y, n); }

}  // namespace mixtape::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace mixtape::kernels {
namespace {

HWY_EXPORT(unary_f32);
HWY_EXPORT(unary_f64);
HWY_EXPORT(unary_grad_f32);
HWY_EXPORT(unary_grad_f64);
HWY_EXPORT(affine_f32);
HWY_EXPORT(affine_f64);
HWY_EXPORT(binary_f32);
HWY_EXPORT(binary_f64);
HWY_EXPORT(select_f32);
HWY_EXPORT(select_f64);

constexpr int64_t kGrain = 1 << 14;          // elements of cheap arithmetic that are worth a piece of their own
constexpr int64_t kFunctionGrain = 1 << 12;  // of exp, erf and the like

// Adjacent axes along which both operands run on (or both stay) become one, so that runs are as long as they can be.
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

template <class T, class Run>
void binary_with(const Run& run, const BroadcastLoop& given, const T* a, const T* b, T* y) noexcept {
  const BroadcastLoop loop = merge_axes(given);
  const int inner = loop.rank - 1;
  const int64_t n = loop.sizes[inner];
  if (inner == 0) {
    const int64_t i = loop.a_strides[0], j = loop.b_strides[0];
    parallel_for(n, kGrain, [&](int64_t first, int64_t last) {
      run(a + first * i, i, b + first * j, j, y + first, last - first);
    });
    return;
  }
  int64_t runs = 1;
  for (int axis = 0; axis < inner; ++axis) runs *= loop.sizes[axis];
  parallel_for(runs, grain_for(n, kGrain), [&](int64_t first, int64_t last) {
    for (int64_t row = first; row < last; ++row) {
      int64_t a_offset = 0, b_offset = 0, rest = row;
      for (int axis = inner - 1; axis >= 0; --axis) {
        const int64_t index = rest % loop.sizes[axis];
        rest /= loop.sizes[axis];
        a_offset += index * loop.a_strides[axis];
        b_offset += index * loop.b_strides[axis];
      }
      run(a + a_offset, loop.a_strides[inner], b + b_offset, loop.b_strides[inner], y + row * n, n);
    }
  });
}

}  // namespace

void unary(Unary f, const float* x, float* y, int64_t n) noexcept {
  const auto run = HWY_DYNAMIC_DISPATCH(unary_f32);
  const int64_t grain = f == Unary::relu || f == Unary::sqrt ? kGrain : kFunctionGrain;
  parallel_for(n, grain, [=](int64_t first, int64_t last) { run(f, x + first, 0, y + first, 1, last - first); });
}
void unary(Unary f, const double* x, double* y, int64_t n) noexcept {
  const auto run = HWY_DYNAMIC_DISPATCH(unary_f64);
  parallel_for(n, kFunctionGrain,
               [=](int64_t first, int64_t last) { run(f, x + first, 0, y + first, 1, last - first); });
}

void unary(Unary f, const uint16_t* x, float* y, int64_t n) noexcept {
  const auto run = HWY_DYNAMIC_DISPATCH(unary_f32);
  parallel_for(n, kFunctionGrain, [=](int64_t first, int64_t last) {
    widen_bf16(x + first, y + first, last - first);
    run(f, y + first, 0, y + first, 1, last - first);
  });
}

void unary_rows(Unary f, const float* x, int64_t x_stride, float* y, int64_t rows, int64_t n) noexcept {
  HWY_DYNAMIC_DISPATCH(unary_f32)(f, x, x_stride, y, rows, n);
}
void unary_rows(Unary f, const double* x, int64_t x_stride, double* y, int64_t rows, int64_t n) noexcept {
  HWY_DYNAMIC_DISPATCH(unary_f64)(f, x, x_stride, y, rows, n);
}

void unary_grad(Unary f, const float* x, const float* dy, float* dx, int64_t n) noexcept {
  const auto run = HWY_DYNAMIC_DISPATCH(unary_grad_f32);
  const int64_t grain = f == Unary::relu ? kGrain : kFunctionGrain;
  parallel_for(n, grain, [=](int64_t first, int64_t last) { run(f, x + first, dy + first, dx + first, last - first); });
}
void unary_grad(Unary f, const double* x, const double* dy, double* dx, int64_t n) noexcept {
  const auto run = HWY_DYNAMIC_DISPATCH(unary_grad_f64);
  parallel_for(n, kFunctionGrain,
               [=](int64_t first, int64_t last) { run(f, x + first, dy + first, dx + first, last - first); });
}
void unary_grad(Unary f, const uint16_t* x, const float* dy, float* dx, int64_t n) noexcept {
  const auto run = HWY_DYNAMIC_DISPATCH(unary_grad_f32);
  parallel_for(n, kFunctionGrain, [=](int64_t first, int64_t last) {
    float wide[kFunctionGrain];
    widen_bf16(x + first, wide, last - first);
    run(f, wide, dy + first, dx + first, last - first);
  });
}

void affine(const float* x, double scale, double shift, float* y, int64_t n) noexcept {
  const auto run = HWY_DYNAMIC_DISPATCH(affine_f32);
  const auto a = static_cast<float>(scale), b = static_cast<float>(shift);
  parallel_for(n, kGrain, [=](int64_t first, int64_t last) { run(x + first, a, b, y + first, last - first); });
}
void affine(const double* x, double scale, double shift, double* y, int64_t n) noexcept {
  const auto run = HWY_DYNAMIC_DISPATCH(affine_f64);
  parallel_for(n, kGrain, [=](int64_t first, int64_t last) { run(x + first, scale, shift, y + first, last - first); });
}

void binary(Binary f, const BroadcastLoop& loop, const float* a, const float* b, float* y) noexcept {
  const auto run = HWY_DYNAMIC_DISPATCH(binary_f32);
  binary_with([=](auto... arguments) { run(f, arguments...); }, loop, a, b, y);
}
void binary(Binary f, const BroadcastLoop& loop, const double* a, const double* b, double* y) noexcept {
  const auto run = HWY_DYNAMIC_DISPATCH(binary_f64);
  binary_with([=](auto... arguments) { run(f, arguments...); }, loop, a, b, y);
}

void select(const int32_t* condition, const float* a, const float* b, float* y, int64_t n) noexcept {
  const auto run = HWY_DYNAMIC_DISPATCH(select_f32);
  parallel_for(n, kGrain, [=](int64_t i, int64_t last) { run(condition + i, a + i, b + i, y + i, last - i); });
}
void select(const int32_t* condition, const double* a, const double* b, double* y, int64_t n) noexcept {
  const auto run = HWY_DYNAMIC_DISPATCH(select_f64);
  parallel_for(n, kGrain, [=](int64_t i, int64_t last) { run(condition + i, a + i, b + i, y + i, last - i); });
}

}  // namespace mixtape::kernels
#endif
