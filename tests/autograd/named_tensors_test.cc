#include "autograd/files/named_tensors.h"

#include <doctest/doctest.h>

#include "autograd/tensors/error.h"

using namespace mixtape;

using Values = std::vector<double>;

TEST_CASE("named tensors are found, counted and cloned") {
  const NamedTensors tensors{{"a.weight", Tensor::ones({2, 3})}, {"a.bias", Tensor::zeros({3})}};
  CHECK(find(tensors, "a.bias").is(tensors[1].tensor));
  CHECK_FALSE(find(tensors, "a"));
  CHECK(count_elements(tensors) == 9);
  const NamedTensors copies = clone(tensors);
  tensors[0].tensor.fill(5);
  CHECK(copies[0].name == "a.weight");
  CHECK(copies[0].tensor.values() == Values(6, 1.0));
}

TEST_CASE("numbers are copied by name, whatever the order, and converted") {
  const NamedTensors from{{"b", Tensor::full({2}, 2, f64)}, {"a", Tensor::full({1}, 1, f64)}};
  const NamedTensors to{{"a", Tensor::zeros({1})}, {"b", Tensor::zeros({2})}};
  copy_into(from, to, "model");
  CHECK(to[0].tensor.values() == Values{1});
  CHECK(to[1].tensor.values() == Values{2, 2});
}

TEST_CASE("what does not fit is listed by name, and nothing changes") {
  const NamedTensors from{
      {"a", Tensor::ones({2})}, {"b", Tensor::ones({3})}, {"old", Tensor::ones({1})}, {"n", Tensor::ones({1})}};
  const NamedTensors to{
      {"a", Tensor::zeros({2})}, {"b", Tensor::zeros({3, 1})}, {"new", Tensor::zeros({4})}, {"n", Tensor::range(1)}};
  CHECK_THROWS_WITH_AS(copy_into(from, to, "run/model"),
                       "run/model: does not fit: b is [3], expected [3, 1]; missing new [4]; n is f32, expected i32; "
                       "unknown old [1]",
                       Error);
  CHECK(to[0].tensor.values() == Values{0, 0});
}

TEST_CASE("a long list of differences is cut") {
  NamedTensors from;
  for (int i = 0; i < 25; ++i) from.push_back({"t" + std::to_string(i), Tensor::zeros({1})});
  try {
    copy_into(from, {}, "x");
    FAIL("no error");
  } catch (const Error& error) {
    CHECK(std::string(error.what()).ends_with("; and 5 more"));
  }
}

TEST_CASE("patterns of names") {
  CHECK(matches("a.bias", "a.bias"));
  CHECK_FALSE(matches("a.bias", "a"));
  CHECK(matches("a.b.bias", "*.bias"));
  CHECK_FALSE(matches("a.bias.c", "*.bias"));
  CHECK(matches("encoder.layer.0", "encoder.*"));
  CHECK(matches("encoder.layer.0.norm.weight", "encoder.*.norm.*"));
  CHECK(matches("", "*"));
  CHECK(matches("aab", "*ab"));
  CHECK(matches("x", "**"));
  CHECK_FALSE(matches("", "a*"));
}
