#include "optim/average.h"

#include <doctest/doctest.h>

#include <cmath>

#include "autograd/tensors/error.h"

using namespace mixtape;
using Values = std::vector<double>;

namespace {

Tensor pair(double a, double b, DType dtype = f64) { return Tensor::from({a, b}, {2}, dtype).as_parameter(); }

Values of(const NamedTensors& tensors, const char* name) { return find(tensors, name).values(); }

}  // namespace

TEST_CASE("checkpoint average: the mean of the last few") {
  const Tensor p = pair(1, 10), q = Tensor::from({4.0}, {1}, f32).as_parameter();
  const NamedTensors parameters = {{"p", p}, {"q", q}};
  optim::CheckpointAverage average(3);
  average.add(parameters);
  CHECK(average.size() == 1);
  CHECK(of(average.average(), "p") == Values{1, 10});
  for (const double x : {2.0, 6.0, 7.0}) {
    p.copy_from(pair(x, 10 * x));
    average.add(parameters);
  }
  CHECK(average.size() == 3);
  CHECK(of(average.average(), "p") == Values{5, 50});  // 2, 6, 7
  CHECK(find(average.average(), "q").dtype() == f32);
  CHECK(of(average.average(), "q") == Values{4});
  CHECK(p.values() == Values{7, 70});
}

TEST_CASE("checkpoint average: accumulates in double") {
  optim::CheckpointAverage average(3);
  for (const double x : {1e8, 1.0, -1e8}) average.add({{"p", pair(x, 0, f32)}});
  CHECK(of(average.average(), "p")[0] == static_cast<double>(static_cast<float>(1.0 / 3)));
}

TEST_CASE("checkpoint average: an index tensor is the latest") {
  optim::CheckpointAverage average(2);
  for (const int32_t count : {1, 2, 5}) average.add({{"count", Tensor::from(std::vector<int32_t>{count}, {1})}});
  CHECK(of(average.average(), "count") == Values{5});
}

TEST_CASE("checkpoint average: the mean of the best, the older of equal ones") {
  const std::vector<std::pair<double, double>> offered{{1, 0.5}, {2, 0.7}, {3, 0.4}, {4, 0.7}, {5, 0.7}, {6, 0.1}};
  optim::CheckpointAverage average(2, optim::Select::best);
  for (const auto& [number, score] : offered) average.add({{"p", pair(number, 0)}}, score);
  CHECK(of(average.average(), "p") == Values{3, 0});  // 2, 4
  optim::CheckpointAverage loaded(2, optim::Select::best);
  loaded.load_state(average.state());
  loaded.add({{"p", pair(10, 0)}}, 0.65);
  CHECK(of(loaded.average(), "p") == Values{3, 0});
  loaded.add({{"p", pair(10, 0)}}, 0.75);
  CHECK(of(loaded.average(), "p") == Values{6, 0});  // 2, 10
  CHECK_THROWS_WITH_AS(average.add({{"p", pair(0, 0)}}, std::nan("")), "checkpoint average: the score is NaN", Error);
}

TEST_CASE("checkpoint average: resumes from a saved state bit for bit") {
  optim::CheckpointAverage through(3), first(3), second(3);
  const auto add = [](optim::CheckpointAverage& average, int k) { average.add({{"p", pair(0.1 * k, 0.3 / k, f32)}}); };
  for (int k = 1; k <= 4; ++k) add(first, k);
  second.load_state(first.state());
  add(first, 99);  // copies: the loaded state does not change with it
  for (int k = 5; k <= 6; ++k) add(second, k);
  for (int k = 1; k <= 6; ++k) add(through, k);
  CHECK(of(second.average(), "p") == of(through.average(), "p"));
  CHECK(through.state()[0].name == "snapshot.0.p");
  for (size_t i = 0; i < 3; ++i) {
    CHECK(through.state()[i].tensor.values() == second.state()[i].tensor.values());
  }
}

TEST_CASE("checkpoint average: mismatched snapshots and states throw, and change nothing") {
  CHECK_THROWS_WITH_AS(optim::CheckpointAverage(0), "checkpoint average: count is 0, expected at least 1", Error);
  optim::CheckpointAverage average(2);
  CHECK_THROWS_WITH_AS(average.average(), "checkpoint average: there is no snapshot yet", Error);
  average.add({{"p", pair(1, 2)}});
  CHECK_THROWS_WITH_AS(average.add({{"q", pair(1, 2)}}),
                       "checkpoint average: does not fit: missing p [2]; unknown q [2]", Error);
  const Tensor x = pair(5, 6);
  CHECK_THROWS_AS(average.load_state({{"p", x}}), Error);
  CHECK_THROWS_AS(average.load_state({{"snapshot.0", x}}), Error);
  CHECK_THROWS_AS(average.load_state({{"snapshot.99999999999999999999.p", x}}), Error);
  CHECK_THROWS_WITH_AS(average.load_state({{"snapshot.2.p", x}}),
                       "checkpoint average: snapshot.2.p is one of more than 2 snapshots", Error);
  CHECK_THROWS_AS(average.load_state({{"snapshot.1.p", x}}), Error);
  CHECK_THROWS_AS(average.load_state({{"snapshot.0.p", x}, {"snapshot.1.q", x}}), Error);
  CHECK_THROWS_WITH_AS(average.load_state({{"snapshot.0.p", x}}), "checkpoint average: 0 scores for 1 snapshots",
                       Error);
  CHECK(average.size() == 1);
  CHECK(of(average.average(), "p") == Values{1, 2});
}

TEST_CASE("moving average: follows the formula") {
  const Tensor p = pair(1, 2, f32);
  optim::MovingAverage average({{"p", p}}, {.decay = 0.75});
  CHECK(of(average.average(), "p") == Values{1, 2});
  p.copy_from(pair(5, 6));
  average.update();
  CHECK(of(average.average(), "p") == Values{2, 3});
  average.update();
  CHECK(of(average.average(), "p") == Values{2.75, 3.75});
}

TEST_CASE("moving average: warm-up has a smaller decay") {
  const Tensor p = pair(0, 0);
  optim::MovingAverage average({{"p", p}}, {.decay = 0.25, .warmup = true});
  p.copy_from(pair(1, 11));
  average.update();
  CHECK(of(average.average(), "p")[1] == doctest::Approx(9));  // decay 2 / 11
  average.update();                                            // decay 3 / 12
  CHECK(of(average.average(), "p")[1] == doctest::Approx(0.25 * 9 + 0.75 * 11));
  average.update();  // decay 0.25 instead of 4 / 13
  CHECK(of(average.average(), "p")[1] == doctest::Approx(0.25 * 10.5 + 0.75 * 11));
}

TEST_CASE("moving average: small updates are not lost to f32 rounding") {
  const Tensor p = pair(1, 1, f32);
  optim::MovingAverage average({{"p", p}}, {.decay = 0.9999});
  p.fill(1.0001);
  for (int k = 0; k < 20'000; ++k) average.update();
  CHECK(of(average.average(), "p")[0] == doctest::Approx(1 + 1e-4 * (1 - std::exp(-2.0))).epsilon(1e-7));
}

TEST_CASE("moving average: resumes from a saved state bit for bit") {
  const Tensor p = pair(0.1, 0.2), q = pair(0.1, 0.2);
  const optim::MovingAverageOptions options{.decay = 0.9, .warmup = true};
  optim::MovingAverage through({{"p", p}}, options), first({{"p", q}}, options);
  const auto run = [](optim::MovingAverage& average, const Tensor& x, int from, int to) {
    for (int k = from; k < to; ++k) {
      x.copy_from(pair(0.3 * k, 1.0 / (k + 1)));
      average.update();
    }
  };
  run(through, p, 0, 8);
  run(first, q, 0, 5);
  const NamedTensors saved = clone(first.state());
  optim::MovingAverage second({{"p", q}}, options);
  second.load_state(saved);
  run(second, q, 5, 8);
  CHECK(of(second.average(), "p") == of(through.average(), "p"));
  CHECK(of(second.state(), "average.updates") == Values{8});
  CHECK_THROWS_WITH_AS(second.load_state({}), doctest::Contains("missing average.mean.p [2]"), Error);
}

TEST_CASE("moving average: a decay out of range and a parameter of another shape throw") {
  const Tensor p = pair(1, 2);
  CHECK_THROWS_WITH_AS(optim::MovingAverage({{"p", p}}, {.decay = 1}),
                       "moving average: decay is 1, expected 0 <= decay < 1", Error);
  optim::MovingAverage average({{"p", p}});
  p.assign(Tensor::zeros({3}, f64));
  CHECK_THROWS_WITH_AS(average.update(), "moving average: p is [3], expected [2]", Error);
}

TEST_CASE("temporary parameters: replaced, and restored bit for bit") {
  const Tensor p = pair(0.1, 0.2, f32);
  const NamedTensors parameters = {{"p", p}};
  const Values before = p.values();
  {
    const optim::TemporaryParameters with({{"p", pair(3, 4)}}, parameters);
    CHECK(p.values() == Values{3, 4});
  }
  CHECK(p.values() == before);
  CHECK_THROWS_AS(optim::TemporaryParameters({{"q", pair(3, 4)}}, parameters), Error);
  CHECK(p.values() == before);
}
