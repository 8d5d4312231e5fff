#include "autograd/kernels/update.h"

#include <cmath>

#include "autograd/kernels/parallel.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "autograd/kernels/update.cc"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
//
#include "autograd/kernels/simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace mixtape::kernels::HWY_NAMESPACE {

template <class T>
void sgd_of(const SgdUpdate& u, const T* gradient, T* velocity, T* parameter, int64_t n) {
  const T rate = static_cast<T>(u.learning_rate), momentum = static_cast<T>(u.momentum),
          decay = static_cast<T>(u.weight_decay);
  const T fresh = static_cast<T>(1 - u.dampening), scale = static_cast<T>(u.gradient_scale);
  const bool moves = u.momentum != 0;
  for_lanes<T>(n, [=](auto d, int64_t i) HWY_ATTR {
    const auto p = hn::LoadU(d, parameter + i);
    const auto g = hn::MulAdd(p, hn::Set(d, decay), hn::Mul(hn::LoadU(d, gradient + i), hn::Set(d, scale)));
    auto move = g;
    if (moves) {
      const auto v =
          u.first ? g : hn::MulAdd(g, hn::Set(d, fresh), hn::Mul(hn::LoadU(d, velocity + i), hn::Set(d, momentum)));
      hn::StoreU(v, d, velocity + i);
      move = u.nesterov ? hn::MulAdd(v, hn::Set(d, momentum), g) : v;
    }
    hn::StoreU(hn::NegMulAdd(move, hn::Set(d, rate), p), d, parameter + i);
  });
}

template <class T>
void adam_of(const AdamUpdate& u, const T* gradient, T* m, T* v, T* parameter, int64_t n) {
  const T beta1 = static_cast<T>(u.beta1), fresh1 = static_cast<T>(1 - u.beta1);
  const T beta2 = static_cast<T>(u.beta2), fresh2 = static_cast<T>(1 - u.beta2);
  const T rate = static_cast<T>(u.learning_rate / (1 - std::pow(u.beta1, static_cast<double>(u.step))));
  const T root_scale = static_cast<T>(1 / std::sqrt(1 - std::pow(u.beta2, static_cast<double>(u.step))));
  const T epsilon = static_cast<T>(u.epsilon), scale = static_cast<T>(u.gradient_scale),
          decay = static_cast<T>(u.weight_decay);
  const T shrink = static_cast<T>(1 - u.learning_rate * u.decoupled_decay);
  for_lanes<T>(n, [=](auto d, int64_t i) HWY_ATTR {
    const auto before = hn::LoadU(d, parameter + i);
    const auto g = hn::MulAdd(before, hn::Set(d, decay), hn::Mul(hn::LoadU(d, gradient + i), hn::Set(d, scale)));
    const auto m_new = hn::MulAdd(hn::LoadU(d, m + i), hn::Set(d, beta1), hn::Mul(g, hn::Set(d, fresh1)));
    const auto v_new = hn::MulAdd(hn::LoadU(d, v + i), hn::Set(d, beta2), hn::Mul(hn::Mul(g, g), hn::Set(d, fresh2)));
    const auto root = hn::MulAdd(hn::Sqrt(v_new), hn::Set(d, root_scale), hn::Set(d, epsilon));
    const auto p = hn::Mul(before, hn::Set(d, shrink));
    hn::StoreU(m_new, d, m + i);
    hn::StoreU(v_new, d, v + i);
    hn::StoreU(hn::NegMulAdd(hn::Div(m_new, root), hn::Set(d, rate), p), d, parameter + i);
  });
}

void sgd_f32(const SgdUpdate& u, const float* g, float* velocity, float* p, int64_t n) { sgd_of(u, g, velocity, p, n); }
void sgd_f64(const SgdUpdate& u, const double* g, double* velocity, double* p, int64_t n) {
  sgd_of(u, g, velocity, p, n);
}
void adam_f32(const AdamUpdate& u, const float* g, float* m, float* v, float* p, int64_t n) {
  adam_of(u, g, m, v, p, n);
}
void adam_f64(const AdamUpdate& u, const double* g, double* m, double* v, double* p, int64_t n) {
  adam_of(u, g, m, v, p, n);
}

}  // namespace mixtape::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace mixtape::kernels {
namespace {

HWY_EXPORT(sgd_f32);
HWY_EXPORT(sgd_f64);
HWY_EXPORT(adam_f32);
HWY_EXPORT(adam_f64);

constexpr int64_t kGrain = 1 << 13;

}  // namespace

void sgd(const SgdUpdate& update, const float* gradient, float* velocity, float* parameter, int64_t n) noexcept {
  const auto run = HWY_DYNAMIC_DISPATCH(sgd_f32);
  parallel_for(n, kGrain, [&](int64_t i, int64_t last) {
    run(update, gradient + i, velocity ? velocity + i : nullptr, parameter + i, last - i);
  });
}
void sgd(const SgdUpdate& update, const double* gradient, double* velocity, double* parameter, int64_t n) noexcept {
  const auto run = HWY_DYNAMIC_DISPATCH(sgd_f64);
  parallel_for(n, kGrain, [&](int64_t i, int64_t last) {
    run(update, gradient + i, velocity ? velocity + i : nullptr, parameter + i, last - i);
  });
}

void adam(const AdamUpdate& update, const float* gradient, float* m, float* v, float* parameter, int64_t n) noexcept {
  const auto run = HWY_DYNAMIC_DISPATCH(adam_f32);
  parallel_for(n, kGrain,
               [&](int64_t i, int64_t last) { run(update, gradient + i, m + i, v + i, parameter + i, last - i); });
}
void adam(const AdamUpdate& update, const double* gradient, double* m, double* v, double* parameter,
          int64_t n) noexcept {
  const auto run = HWY_DYNAMIC_DISPATCH(adam_f64);
  parallel_for(n, kGrain,
               [&](int64_t i, int64_t last) { run(update, gradient + i, m + i, v + i, parameter + i, last - i); });
}

}  // namespace mixtape::kernels
#endif
