#include "autograd/ops/mask.h"

#include <doctest/doctest.h>

#include "autograd/ops.h"
#include "autograd/tensors/error.h"
#include "autograd/tensors/random.h"

using namespace mixtape;

namespace {

using Values = std::vector<double>;

Tensor pairs(const std::vector<int32_t>& values, const Shape& shape) { return Tensor::from(values, shape); }

// 1 where a query sees a key, by attention whose scores are all the same.
Values seen(const Mask& mask, int64_t batch, int64_t queries, int64_t keys) {
  const Tensor weights =
      attention_weights(Tensor::zeros({batch, queries, 1, 1}), Tensor::zeros({batch, keys, 1, 1}), {.mask = mask});
  Values result = weights.values();
  for (double& value : result) value = value > 0;
  return result;
}

}  // namespace

TEST_CASE("a mask that hides nothing") {
  const Mask mask;
  CHECK_FALSE(mask.is_causal());
  CHECK_FALSE(mask.lengths());
  CHECK_FALSE(mask.pairs());
  CHECK_FALSE(mask.bias());
  CHECK(seen(mask, 1, 1, 2) == Values{1, 1});
}

TEST_CASE("causal: the last query sees all keys") {
  CHECK(seen(causal(), 1, 3, 3) == Values{1, 0, 0, 1, 1, 0, 1, 1, 1});
  CHECK(seen(causal(), 1, 2, 4) == Values{1, 1, 1, 0, 1, 1, 1, 1});
  CHECK(seen(causal(), 1, 3, 1) == Values{0, 0, 1});
}

TEST_CASE("window: those near the query's own place") {
  CHECK(seen(window(1), 1, 4, 4) == Values{1, 1, 0, 0, 1, 1, 1, 0, 0, 1, 1, 1, 0, 0, 1, 1});
  CHECK(seen(window(0), 1, 2, 3) == Values{0, 1, 0, 0, 0, 1});
  CHECK(seen(window(1), 1, 3, 1) == Values{0, 1, 1});
  CHECK(seen(window(1) & causal(), 1, 3, 3) == Values{1, 0, 0, 1, 1, 0, 0, 1, 1});
  CHECK((window(3) & causal() & window(2)).reach() == 2);
  CHECK((Mask() & window(3)).reach() == 3);
  CHECK_FALSE(causal().reach());
  CHECK_THROWS_WITH_AS(window(-1), "mask: a window of reach -1, expected at least 0", Error);
}

TEST_CASE("lengths and pairs") {
  CHECK(seen(key_lengths({1, 0, 2}), 3, 1, 2) == Values{1, 0, 0, 0, 1, 1});
  const Tensor allowed = pairs({0, 7, -1, 0}, {2, 2});
  CHECK(seen(allowed_pairs(allowed), 2, 2, 2) == Values{0, 1, 1, 0, 0, 1, 1, 0});
  CHECK(seen(allowed_pairs(pairs({1, 0, 0, 1}, {2, 1, 2})), 2, 1, 2) == Values{1, 0, 0, 1});
}

TEST_CASE("masks combine: a pair is seen if every part lets it be seen") {
  const Mask both = causal() & key_lengths({2}) & allowed_pairs(pairs({1, 1, 1, 0, 1, 1, 1, 1, 1}, {3, 3}));
  CHECK(seen(both, 1, 3, 3) == Values{1, 0, 0, 0, 1, 0, 1, 1, 0});
  CHECK(seen(causal() & key_lengths({1, 3}), 2, 3, 3) == Values{1, 0, 0, 1, 0, 0, 1, 0, 0, 1, 0, 0, 1, 1, 0, 1, 1, 1});
  const Mask two = allowed_pairs(pairs({1, 0, 3, 1}, {2, 2})) & allowed_pairs(pairs({1, 1, 0, 4}, {2, 2}));
  CHECK(two.pairs().values() == Values{1, 0, 0, 1});
  CHECK((Mask() & causal()).is_causal());
}

TEST_CASE("biases add up, one for all heads to one for each") {
  Random random(1);
  const Tensor by_batch = random.normal({2, 3, 4}, 0, 1, f64), by_head = random.normal({2, 2, 3, 4}, 0, 1, f64),
               everywhere = random.normal({3, 4}, 0, 1, f64);
  const Tensor both = (additive_bias(by_batch) & additive_bias(by_head)).bias();
  CHECK(both.shape() == Shape{2, 2, 3, 4});
  CHECK(both.values() == (reshape(by_batch, {2, 1, 3, 4}) + by_head).values());
  CHECK((additive_bias(by_head) & additive_bias(by_batch)).bias().values() == both.values());
  CHECK((additive_bias(everywhere) & additive_bias(by_batch)).bias().values() == (everywhere + by_batch).values());
}

TEST_CASE("masks that do not fit are errors") {
  CHECK_THROWS_WITH_AS(key_lengths({1}) & key_lengths({2}), "mask: both sides limit the lengths of the keys", Error);
  CHECK_THROWS_WITH_AS(allowed_pairs(pairs({1}, {1, 1})) & allowed_pairs(pairs({1, 1}, {1, 2})),
                       "mask: allowed pairs of [1, 1] and [1, 2] do not combine", Error);
  CHECK_THROWS_WITH_AS(allowed_pairs(Tensor::zeros({2, 2})), "mask: allowed pairs of f32, expected i32", Error);
  CHECK_THROWS_WITH_AS(allowed_pairs(pairs({1}, {1})),
                       "mask: allowed pairs of [1], expected [Tq, Tk], [B, Tq, Tk] or [B, H, Tq, Tk]", Error);
  CHECK_THROWS_WITH_AS(additive_bias(Tensor::zeros({2})),
                       "mask: bias of [2], expected [Tq, Tk], [B, Tq, Tk] or [B, H, Tq, Tk]", Error);
  CHECK_THROWS_WITH_AS(seen(key_lengths({3}), 1, 1, 2), "attention: key length 3 of sequence 0 with 2 keys", Error);
  CHECK_THROWS_WITH_AS(seen(key_lengths({1, 1}), 1, 1, 2), "attention: 2 key lengths for 1 sequences", Error);
  CHECK_THROWS_WITH_AS(seen(allowed_pairs(pairs({1, 1}, {1, 2})), 1, 2, 2),
                       "attention: allowed pairs [1, 2] for [B, H, Tq, Tk] = [1, 1, 2, 2]", Error);
}
