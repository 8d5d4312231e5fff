#include "autograd/tensors/tensor.h"

#include <doctest/doctest.h>

#include <cmath>
#include <thread>

#include "autograd/tensors/error.h"

using namespace mixtape;

using Values = std::vector<double>;

TEST_CASE("tensors from numbers") {
  const Tensor x = Tensor::from(Values{1, 2, 3, 4, 5, 6}, {2, 3}, f64);
  CHECK(x.shape() == Shape{2, 3});
  CHECK(x.size(-1) == 3);
  CHECK(x.rank() == 2);
  CHECK(x.elements() == 6);
  CHECK(x.bytes() == 48);
  CHECK(x.dtype() == f64);
  CHECK(x.values() == Values{1, 2, 3, 4, 5, 6});
  CHECK(Tensor::zeros({2}).values() == Values{0, 0});
  CHECK(Tensor::ones({2}, f64).values() == Values{1, 1});
  CHECK(Tensor::full({2}, 2.5).values() == Values{2.5, 2.5});
  CHECK(Tensor::scalar(3).item() == 3);
  CHECK(Tensor::scalar(3).rank() == 0);
  CHECK(Tensor::range(3).values() == Values{0, 1, 2});
  CHECK(Tensor::range(3).dtype() == i32);
  CHECK(Tensor::from(std::vector<int32_t>{4, 5}, {2}).data<int32_t>()[1] == 5);
  CHECK(Tensor::zeros({0, 4}).values().empty());
}

TEST_CASE("an undefined tensor") {
  const Tensor none;
  CHECK_FALSE(none);
  CHECK_FALSE(none.defined());
  CHECK(none.is(Tensor()));
  CHECK_FALSE(none.is(Tensor::scalar(1)));
}

TEST_CASE("wrong counts, dtypes and shapes are errors") {
  const Tensor x = Tensor::zeros({2, 3});
  CHECK_THROWS_WITH_AS(Tensor::from(Values{1, 2}, {3}), "tensor: 2 values given, [3] has 3", Error);
  CHECK_THROWS_WITH_AS(x.data<double>(), "tensor: a tensor of f32 was read as f64", Error);
  CHECK_THROWS_WITH_AS(x.item(), "item: [2, 3] has 6 elements, expected 1", Error);
  CHECK_THROWS_WITH_AS(x.view({4}), "view: [2, 3] has 6 elements, [4] has 4", Error);
  CHECK_THROWS_WITH_AS(x.view_rows(1, 3), "view_rows: rows 1 to 3 of [2, 3]", Error);
  CHECK_THROWS_WITH_AS(x.copy_from(Tensor::zeros({3, 2})), "copy_from: shapes differ: [2, 3] from [3, 2]", Error);
  CHECK_THROWS_WITH_AS(Tensor::range(2).as_parameter(), "parameter: i32 cannot be trained, expected f32 or f64", Error);
  CHECK_THROWS_AS(Tensor::zeros({int64_t{1} << 30, int64_t{1} << 30}), Error);
}

TEST_CASE("copies of a handle see one tensor, clones do not") {
  const Tensor x = Tensor::zeros({2}), copy = x, clone = x.clone();
  copy.fill(7);
  CHECK(x.values() == Values{7, 7});
  CHECK(copy.is(x));
  CHECK(clone.values() == Values{0, 0});
  CHECK_FALSE(clone.is(x));
}

TEST_CASE("views share memory") {
  const Tensor x = Tensor::from(Values{1, 2, 3, 4, 5, 6}, {3, 2});
  const Tensor flat = x.view({6}), rows = x.view_rows(1, 3), row = rows.view_rows(1, 2), detached = x.detach();
  CHECK(rows.values() == Values{3, 4, 5, 6});
  CHECK(row.shape() == Shape{1, 2});
  row.mutable_data<float>()[0] = 50;
  CHECK(flat.values() == Values{1, 2, 3, 4, 50, 6});
  CHECK(detached.values() == flat.values());
  CHECK(row.clone().values() == Values{50, 6});
  CHECK(x.view_rows(1, 1).elements() == 0);
}

TEST_CASE("a tensor is unique if nobody else sees its memory") {
  Tensor x = Tensor::zeros({2});
  CHECK(x.unique());
  {
    const Tensor copy = x;
    CHECK_FALSE(x.unique());
  }
  CHECK(x.unique());
  const Tensor view = x.view({2, 1});
  CHECK_FALSE(x.unique());
  CHECK_FALSE(view.unique());
}

TEST_CASE("conversion rounds to the nearest") {
  const Tensor x = Tensor::from(Values{0.1, -2.7, 1e300, 3}, {4}, f64);
  CHECK(x.to(f32).values()[0] == static_cast<double>(0.1F));
  CHECK(std::isinf(x.to(f32).values()[2]));
  CHECK(Tensor::from(Values{-2.7, 3}, {2}).to(i32).values() == Values{-2, 3});
  CHECK(Tensor::range(3).to(f64).values() == Values{0, 1, 2});
}

TEST_CASE("bf16 rounds to even, and keeps infinities and NaN") {
  const Values tie{1 + 0x1p-8, 1 + 3 * 0x1p-8, 1 + 0x1p-8 + 0x1p-20, -1 - 0x1p-8, INFINITY, NAN, 3.3895314e38, 1e-40};
  const Values got = Tensor::from(tie, {8}, bf16).values();
  CHECK(got[0] == 1);
  CHECK(got[1] == 1 + 0x1p-6);
  CHECK(got[2] == 1 + 0x1p-7);
  CHECK(got[3] == -1);
  CHECK(std::isinf(got[4]));
  CHECK(std::isnan(got[5]));
  CHECK(got[6] == doctest::Approx(3.3895314e38));
  CHECK(got[7] == doctest::Approx(1e-40).epsilon(0.01));
}

TEST_CASE("assign makes every handle see another tensor's numbers") {
  const Tensor x = Tensor::zeros({2}).as_parameter(), copy = x;
  x.set_gradient(Tensor::ones({2}));
  x.assign(Tensor::from(Values{1, 2, 3}, {3}, f64));
  CHECK(copy.shape() == Shape{3});
  CHECK(copy.dtype() == f64);
  CHECK(copy.values() == Values{1, 2, 3});
  CHECK(copy.is_parameter());
  CHECK_FALSE(copy.gradient());
}

TEST_CASE("parameters and buffers") {
  const Tensor w = Tensor::zeros({2}).as_parameter(), statistics = Tensor::zeros({2}).as_buffer();
  CHECK(w.is_parameter());
  CHECK(w.trainable());
  w.set_trainable(false);
  CHECK(w.is_parameter());
  CHECK_FALSE(w.trainable());
  CHECK(statistics.is_buffer());
  statistics.set_trainable(true);
  CHECK_FALSE(statistics.trainable());
  CHECK_FALSE(w.detach().is_parameter());
  CHECK_FALSE(w.clone().is_parameter());
}

TEST_CASE("a tensor as text") {
  CHECK(to_string(Tensor::from(Values{1, 2.5, -3, 1.0 / 3}, {2, 2}, f64)) == "[[1, 2.5], [-3, 0.3333]]");
  CHECK(to_string(Tensor::from(Values{1.0 / 3}, {1}, f64), 2) == "[0.33]");
  CHECK(to_string(Tensor::scalar(2)) == "2");
  CHECK(to_string(Tensor::zeros({0})) == "[]");
  CHECK(to_string(Tensor::range(6)) == "[0, 1, 2, 3, 4, 5]");
  CHECK(to_string(Tensor::range(10)) == "[0, 1, 2, ..., 7, 8, 9]");
  CHECK(to_string(Tensor::range(16).view({8, 2})) == "[[0, 1], [2, 3], [4, 5], ..., [10, 11], [12, 13], [14, 15]]");
}

TEST_CASE("handles may be copied and dropped on many threads") {
  const Tensor x = Tensor::ones({100});
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([x] {
      for (int k = 0; k < 1000; ++k) {
        const Tensor copy = x, view = copy.view({10, 10});
        if (view.elements() != 100) std::terminate();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(x.values()[99] == 1);
}
