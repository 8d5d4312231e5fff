#include "autograd/kernels/update.h"

#include <cmath>

#include "autograd/kernels/dispatch.h"
#include "autograd/kernels/parallel.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "autograd/kernels/update.cc"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
//
#include "autograd/kernels/simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace mixtape::kernels::HWY_NAMESPACE {
namespace {

template <class T>
void sgd_run(const SgdUpdate& u, const T* gradient, std::type_identity_t<T>* velocity, T* parameter, int64_t n) {
  const T rate = static_cast<T>(u.learning_rate), momentum = static_cast<T>(u.momentum),
          decay = static_cast<T>(u.weight_decay);
  const T fresh = static_cast<T>(1 - u.dampening), scale = static_cast<T>(u.gradient_scale);
  const bool has_velocity = u.momentum != 0;
  for_lanes<T>(n, [=](auto d, int64_t i) HWY_ATTR {
    const auto p = hn::LoadU(d, parameter + i);
    const auto g = hn::MulAdd(p, hn::Set(d, decay), hn::Mul(hn::LoadU(d, gradient + i), hn::Set(d, scale)));
    auto move = g;
    if (has_velocity) {
      const auto v =
          u.first ? g : hn::MulAdd(g, hn::Set(d, fresh), hn::Mul(hn::LoadU(d, velocity + i), hn::Set(d, momentum)));
      hn::StoreU(v, d, velocity + i);
      move = u.nesterov ? hn::MulAdd(v, hn::Set(d, momentum), g) : v;
    }
    hn::StoreU(hn::NegMulAdd(move, hn::Set(d, rate), p), d, parameter + i);
  });
}

template <class T>
void adam_run(const AdamUpdate& u, const T* gradient, T* m, T* v, T* parameter, int64_t n) {
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

}  // namespace
}  // namespace mixtape::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace mixtape::kernels {
namespace {

constexpr int64_t kGrain = 1 << 13;  // elements

}  // namespace

template <class T>
void sgd(const SgdUpdate& update, const T* gradient, std::type_identity_t<T>* velocity, T* parameter,
         int64_t n) noexcept {
  const auto kernel = MIXTAPE_KERNEL(sgd_run<T>);
  parallel_for(n, kGrain, [&](int64_t i, int64_t end) {
    kernel(update, gradient + i, velocity ? velocity + i : nullptr, parameter + i, end - i);
  });
}

template <class T>
void adam(const AdamUpdate& update, const T* gradient, T* m, T* v, T* parameter, int64_t n) noexcept {
  const auto kernel = MIXTAPE_KERNEL(adam_run<T>);
  parallel_for(n, kGrain,
               [&](int64_t i, int64_t end) { kernel(update, gradient + i, m + i, v + i, parameter + i, end - i); });
}

template void sgd(const SgdUpdate&, const float*, float*, float*, int64_t) noexcept;
template void sgd(const SgdUpdate&, const double*, double*, double*, int64_t) noexcept;
template void adam(const AdamUpdate&, const float*, float*, float*, float*, int64_t) noexcept;
template void adam(const AdamUpdate&, const double*, double*, double*, double*, int64_t) noexcept;

}  // namespace mixtape::kernels
#endif
