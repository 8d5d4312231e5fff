#include "autograd/kernels/update.h"

#include <doctest/doctest.h>

#include <cmath>
#include <vector>

#include "tests/kernels/buffers.h"
#include "tests/kernels/instruction_sets.h"
#include "tests/kernels/reference.h"
#include "tests/kernels/thread_counts.h"

using namespace mixtape::tests;
using namespace mixtape::kernels;
using reference::Exact;

namespace {

constexpr int kSteps = 10;

template <class T>
std::vector<T> gradient_of_step(int64_t n, int step) {
  return random_values<T>(n, static_cast<uint64_t>(100 + step));
}

// What is lost in ten steps of numbers about 1.
template <class T>
constexpr double kError = 10 * kTolerance<T>;

template <class E>
void plain_sgd(const SgdUpdate& u, E gradient, E& velocity, E& parameter) {
  const E g = gradient * E(u.gradient_scale) + E(u.weight_decay) * parameter;
  E move = g;
  if (u.momentum != 0) {
    velocity = u.first ? g : E(u.momentum) * velocity + (1 - E(u.dampening)) * g;
    move = u.nesterov ? g + E(u.momentum) * velocity : velocity;
  }
  parameter -= E(u.learning_rate) * move;
}

template <class E>
void plain_adam(const AdamUpdate& u, E gradient, E& m, E& v, E& parameter) {
  const E g = gradient * E(u.gradient_scale) + E(u.weight_decay) * parameter;
  m = E(u.beta1) * m + (1 - E(u.beta1)) * g;
  v = E(u.beta2) * v + (1 - E(u.beta2)) * g * g;
  const E m_hat = m / (1 - std::pow(E(u.beta1), E(u.step))), v_hat = v / (1 - std::pow(E(u.beta2), E(u.step)));
  parameter -= E(u.learning_rate) * (E(u.decoupled_decay) * parameter + m_hat / (std::sqrt(v_hat) + E(u.epsilon)));
}

template <class T>
void check_sgd(SgdUpdate u, int64_t n, int64_t offset) {
  CAPTURE(n);
  CAPTURE(offset);
  Guarded<T> parameter(random_values<T>(n, 1), offset), velocity(std::vector<T>(static_cast<size_t>(n), kNaN<T>), 1);
  auto p = reference::exact(parameter.values()), v = reference::exact(velocity.values());
  for (int step = 0; step < kSteps; ++step) {
    u.first = step == 0;
    Guarded<T> gradient(gradient_of_step<T>(n, step), 3 - offset);
    for (size_t i = 0; i < p.size(); ++i) plain_sgd<Exact<T>>(u, gradient.data()[i], v[i], p[i]);
    sgd(u, gradient.data(), velocity.data(), parameter.data(), n);
  }
  CHECK(difference(parameter.values(), p, kError<T>, kError<T>) == "");
  CHECK(difference(velocity.values(), v, kError<T>, kError<T>) == "");
  CHECK((parameter.intact() && velocity.intact()));
}

template <class T>
void check_adam(AdamUpdate u, int64_t n, int64_t offset) {
  CAPTURE(n);
  CAPTURE(offset);
  Guarded<T> parameter(random_values<T>(n, 1), offset);
  Guarded<T> m(std::vector<T>(static_cast<size_t>(n)), 1), v(std::vector<T>(static_cast<size_t>(n)), 2);
  auto p = reference::exact(parameter.values()), m_want = reference::exact(m.values()),
       v_want = reference::exact(v.values());
  for (u.step = 1; u.step <= kSteps; ++u.step) {
    Guarded<T> gradient(gradient_of_step<T>(n, static_cast<int>(u.step)), 3 - offset);
    for (size_t i = 0; i < p.size(); ++i) plain_adam<Exact<T>>(u, gradient.data()[i], m_want[i], v_want[i], p[i]);
    adam(u, gradient.data(), m.data(), v.data(), parameter.data(), n);
  }
  CHECK(difference(parameter.values(), p, kError<T>, kError<T>) == "");
  CHECK(difference(m.values(), m_want, kError<T>, kError<T>) == "");
  CHECK(difference(v.values(), v_want, kError<T>, kError<T>) == "");
  CHECK((parameter.intact() && m.intact() && v.intact()));
}

}  // namespace

TEST_CASE_TEMPLATE("sgd: ten steps of every variant", T, float, double) {
  const SgdUpdate variants[] = {
      {.learning_rate = 0.1},
      {.learning_rate = 0.1, .weight_decay = 0.2, .gradient_scale = 0.5},
      {.learning_rate = 0.1, .momentum = 0.9},
      {.learning_rate = 0.1, .momentum = 0.9, .dampening = 0.3, .weight_decay = 0.1},
      {.learning_rate = 0.1, .momentum = 0.8, .weight_decay = 0.1, .gradient_scale = 2, .nesterov = true},
  };
  for_each_instruction_set([&] {
    for (const SgdUpdate& u : variants) {
      CAPTURE(u.momentum);
      CAPTURE(u.nesterov);
      for (int64_t n : sizes()) {
        check_sgd<T>(u, n, n / 3 % 4);
      }
    }
  });
}

TEST_CASE_TEMPLATE("sgd: without momentum there need be no velocity", T, float, double) {
  for_each_instruction_set([] {
    const auto gradient = random_values<T>(37, 1), start = random_values<T>(37, 2);
    std::vector<T> parameter = start;
    sgd({.learning_rate = 0.5}, gradient.data(), nullptr, parameter.data(), 37);
    for (size_t i = 0; i < 37; ++i) CHECK(parameter[i] == doctest::Approx(start[i] - T(0.5) * gradient[i]));
  });
}

TEST_CASE_TEMPLATE("adam: ten steps of every variant", T, float, double) {
  const AdamUpdate variants[] = {
      {.learning_rate = 0.01},
      {.learning_rate = 0.01, .beta1 = 0.8, .beta2 = 0.98, .epsilon = 1e-3, .gradient_scale = 0.5},
      {.learning_rate = 0.01, .weight_decay = 0.1},
      {.learning_rate = 0.01, .decoupled_decay = 0.1},
      {.learning_rate = 0.01, .beta1 = 0},
  };
  for_each_instruction_set([&] {
    for (const AdamUpdate& u : variants) {
      CAPTURE(u.weight_decay);
      CAPTURE(u.decoupled_decay);
      for (int64_t n : sizes()) {
        check_adam<T>(u, n, n / 3 % 4);
      }
    }
  });
}

TEST_CASE_TEMPLATE("adam: no gradient, no move", T, float, double) {
  for_each_instruction_set([] {
    const std::vector<T> gradient(21), start = random_values<T>(21, 2);
    std::vector<T> m(21), v(21), parameter = start;
    adam({.learning_rate = 0.1}, gradient.data(), m.data(), v.data(), parameter.data(), 21);
    CHECK(parameter == start);
  });
}

TEST_CASE_TEMPLATE("update: the same bits on any number of threads", T, float, double) {
  constexpr int64_t n = 70001;
  const auto gradient = random_values<T>(n, 1), start = random_values<T>(n, 2);
  check_same_bits_on_any_threads([&] {
    std::vector<T> p = start, velocity(n), q = start, m(n), v(n);
    sgd({.learning_rate = 0.1, .momentum = 0.9}, gradient.data(), velocity.data(), p.data(), n);
    adam({.learning_rate = 0.1}, gradient.data(), m.data(), v.data(), q.data(), n);
    return joined<T>({p, velocity, q, m, v});
  });
}
