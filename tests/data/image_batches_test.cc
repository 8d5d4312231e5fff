#include "data/image_batches.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "autograd/tensors/error.h"
#include "data/image_mixing.h"
#include "data/seeds.h"

using namespace mixtape;
using namespace mixtape::data;

namespace {

using Plan = std::vector<std::vector<int64_t>>;

// Pictures of 6 x 5 pixels with two channels.
ImageSet random_images(int64_t count) {
  Random random(11);
  ImageSet set{.height = 6, .width = 5, .channels = 2, .pixels = {}, .labels = {}, .classes = {"a", "b", "c", "d"}};
  for (int64_t i = 0; i < count * set.image_bytes(); ++i) set.pixels.push_back(static_cast<uint8_t>(random.below(256)));
  for (int64_t i = 0; i < count; ++i) set.labels.push_back(static_cast<int32_t>(random.below(4)));
  return set;
}

const Normalization kNormalization{{0.5f, 0.25f}, {0.5f, 2}};

std::vector<double> numbers_of(const ImageBatch& batch) {
  std::vector<double> all = batch.images.values();
  const std::vector<double> labels = batch.labels.values();
  all.insert(all.end(), labels.begin(), labels.end());
  if (!batch.targets) return all;
  const std::vector<double> targets = batch.targets.values();
  all.insert(all.end(), targets.begin(), targets.end());
  return all;
}

std::vector<std::vector<double>> epoch_of(const ImageSet& set, const ImageBatchOptions& options) {
  std::vector<std::vector<double>> all;
  for (const ImageBatch& batch : image_batches(set, kNormalization, options)) all.push_back(numbers_of(batch));
  return all;
}

// Everything on.
ImageBatchOptions busy_options() {
  return {.images = 8,
          .seed = 3,
          .epoch = 2,
          .augment = {.crop_padding = 1, .flip = true, .rand_augment = {2, 9}, .erasing = 0.5},
          .mixup = 0.5,
          .cutmix = 1};
}

float expected_pixel(const ImageSet& set, int64_t index, int64_t i) {
  const auto channel = static_cast<size_t>(i % set.channels);
  const float value = static_cast<float>(set.image(index)[static_cast<size_t>(i)]) / 255;
  return (value - kNormalization.mean[channel]) / kNormalization.deviation[channel];
}

}  // namespace

TEST_CASE("image_batches: every picture once an epoch, in another order each time") {
  std::set<Plan> plans;
  for (uint64_t seed = 0; seed < 3; ++seed) {
    for (int64_t epoch = 0; epoch < 3; ++epoch) {
      const ImageBatchOptions options{.images = 16, .seed = seed, .epoch = epoch, .drop_last = false};
      const Plan plan = plan_image_batches(100, options);
      CHECK(plan_image_batches(100, options) == plan);
      plans.insert(plan);
      REQUIRE(plan.size() == 7);
      std::set<int64_t> seen;
      for (const auto& batch : plan) seen.insert(batch.begin(), batch.end());
      CHECK(seen.size() == 100);
      CHECK(*seen.rbegin() == 99);
      CHECK(plan.back().size() == 4);
    }
  }
  CHECK(plans.size() == 9);
}

TEST_CASE("image_batches: the last batch, and no shuffling") {
  CHECK(plan_image_batches(5, {.images = 2, .shuffle = false}) == Plan{{0, 1}, {2, 3}});
  CHECK(plan_image_batches(5, {.images = 2, .shuffle = false, .drop_last = false}) == Plan{{0, 1}, {2, 3}, {4}});
  CHECK(plan_image_batches(4, {.images = 2, .shuffle = false}) == Plan{{0, 1}, {2, 3}});
  CHECK(plan_image_batches(3, {.images = 8, .shuffle = false}) == Plan{{0, 1, 2}});
  CHECK(plan_image_batches(0, {}).empty());
}

TEST_CASE("image_batches: pixels and labels of a plain batch") {
  const ImageSet set = random_images(40);
  const ImageBatchOptions options{.images = 8, .seed = 5};
  const Plan plan = plan_image_batches(set.size(), options);
  size_t next = 0;
  for (const ImageBatch& batch : image_batches(set, kNormalization, options)) {
    const std::vector<int64_t>& indices = plan[next];
    CHECK(batch.index == static_cast<int64_t>(next++));
    CHECK(batch.images.shape() == Shape({8, 6, 5, 2}));
    CHECK_FALSE(batch.targets.defined());
    CHECK(batch.images.values() == to_tensor(set, indices, kNormalization).values());
    const float* pixels = batch.images.data<float>();
    for (const int64_t index : indices) {
      for (int64_t i = 0; i < set.image_bytes(); ++i) CHECK(*pixels++ == expected_pixel(set, index, i));
    }
    for (size_t b = 0; b < indices.size(); ++b) {
      CHECK(batch.labels.data<int32_t>()[b] == set.labels[static_cast<size_t>(indices[b])]);
    }
  }
  CHECK(next == 5);
}

TEST_CASE("image_batches: normalised pixels have mean 0 and deviation 1") {
  const ImageSet set = random_images(50);
  std::vector<int64_t> all;
  for (int64_t i = 0; i < set.size(); ++i) all.push_back(i);
  const std::vector<double> values = to_tensor(set, all, normalization_of(set)).values();
  for (size_t channel = 0; channel < 2; ++channel) {
    double sum = 0, squares = 0;
    for (size_t i = channel; i < values.size(); i += 2) sum += values[i], squares += values[i] * values[i];
    const double count = static_cast<double>(values.size()) / 2;
    CHECK(sum / count == doctest::Approx(0).epsilon(1e-5));
    CHECK(squares / count == doctest::Approx(1).epsilon(1e-5));
  }
  const ImageSet flat{.height = 1, .width = 1, .channels = 1, .pixels = {51}, .labels = {0}, .classes = {"a"}};
  CHECK(normalization_of(flat).mean[0] == doctest::Approx(0.2));
  CHECK(normalization_of(flat).deviation[0] == 1);
}

TEST_CASE("image_batches: a batch is a function of seed, epoch and index") {
  const ImageSet set = random_images(40);
  const auto whole = epoch_of(set, busy_options());
  REQUIRE(whole.size() == 5);
  CHECK(epoch_of(set, busy_options()) == whole);
  ImageBatchOptions other_seed = busy_options(), other_epoch = busy_options();
  other_seed.seed = 4;
  other_epoch.epoch = 3;
  CHECK(epoch_of(set, other_seed) != whole);
  CHECK(epoch_of(set, other_epoch) != whole);
  for (const int64_t first : {1, 3, 4, 5, 9}) {
    CAPTURE(first);
    ImageBatchOptions options = busy_options();
    options.first = first;
    const auto rest = epoch_of(set, options);
    REQUIRE(rest.size() == static_cast<size_t>(std::max<int64_t>(5 - first, 0)));
    CHECK(std::equal(rest.rbegin(), rest.rend(), whole.rbegin()));
  }
}

TEST_CASE("image_batches: a picture changes in the same way in whatever batch it is") {
  const ImageSet set = random_images(12);
  ImageBatchOptions options = busy_options();
  options.mixup = options.cutmix = 0;
  options.shuffle = false;
  const auto pixels = [&](int64_t images) {
    options.images = images;
    std::vector<double> all;
    for (const ImageBatch& batch : image_batches(set, kNormalization, options)) {
      const std::vector<double> values = batch.images.values();
      all.insert(all.end(), values.begin(), values.end());
    }
    return all;
  };
  CHECK(pixels(12) == pixels(3));
  CHECK(pixels(1) == pixels(4));
  const std::vector<double> one_epoch = pixels(4);
  options.epoch = 7;
  CHECK(pixels(4) != one_epoch);
}

TEST_CASE("image_batches: the loop may be left early") {
  const ImageSet set = random_images(40);
  for (const int64_t leave_at : {0, 2}) {
    for (const ImageBatch& batch : image_batches(set, kNormalization, busy_options())) {
      if (batch.index == leave_at) break;
    }
  }
  CHECK(epoch_of(set, busy_options()).size() == 5);
}

TEST_CASE("image_batches: mixup's pixels and targets") {
  const ImageSet set = random_images(35);
  const ImageBatchOptions options{.images = 7, .seed = 2, .mixup = 1};
  const Plan plan = plan_image_batches(set.size(), options);
  for (const ImageBatch& batch : image_batches(set, kNormalization, options)) {
    const auto& indices = plan[static_cast<size_t>(batch.index)];
    Random random(mix_seed({2, 0, 2, static_cast<uint64_t>(batch.index)}));
    const double lambda = draw_beta(1, random);
    const float *pixels = batch.images.data<float>(), *targets = batch.targets.data<float>();
    CHECK(batch.targets.shape() == Shape({7, 4}));
    for (size_t b = 0; b < 7; ++b) {
      const int64_t own = indices[b], other = indices[6 - b];
      for (int64_t i = 0; i < set.image_bytes(); ++i) {
        const double expected = lambda * expected_pixel(set, own, i) + (1 - lambda) * expected_pixel(set, other, i);
        CHECK(*pixels++ == doctest::Approx(expected).epsilon(1e-5));
      }
      for (int32_t c = 0; c < 4; ++c) {
        const double expected = lambda * (set.labels[static_cast<size_t>(own)] == c) +
                                (1 - lambda) * (set.labels[static_cast<size_t>(other)] == c);
        CHECK(*targets++ == doctest::Approx(expected));
      }
    }
  }
}

TEST_CASE("image_batches: CutMix's targets agree with the pixels") {
  const ImageSet set = random_images(400);
  const ImageBatchOptions options{.images = 8, .seed = 2, .cutmix = 1};
  const Plan plan = plan_image_batches(set.size(), options);
  std::set<int64_t> areas;
  for (const ImageBatch& batch : image_batches(set, kNormalization, options)) {
    const auto& indices = plan[static_cast<size_t>(batch.index)];
    const float *pixels = batch.images.data<float>(), *targets = batch.targets.data<float>();
    for (size_t b = 0; b < 8; ++b) {
      const int64_t own = indices[b], other = indices[7 - b];
      int64_t own_values = 0, other_values = 0, both = 0;
      for (int64_t i = 0; i < set.image_bytes(); ++i, ++pixels) {
        const bool is_own = *pixels == expected_pixel(set, own, i), is_other = *pixels == expected_pixel(set, other, i);
        CHECK((is_own || is_other));
        own_values += is_own, other_values += is_other, both += is_own && is_other;
      }
      areas.insert(own_values);
      const double share = *std::max_element(targets + b * 4, targets + b * 4 + 4);
      double sum = 0;
      for (size_t c = 0; c < 4; ++c) sum += targets[b * 4 + c];
      CHECK(sum == doctest::Approx(1));
      const double of_own = targets[b * 4 + static_cast<size_t>(set.labels[static_cast<size_t>(own)])];
      if (set.labels[static_cast<size_t>(own)] == set.labels[static_cast<size_t>(other)]) {
        CHECK(share == doctest::Approx(1));
      } else {
        const auto size = static_cast<double>(set.image_bytes());
        CHECK(of_own * size <= static_cast<double>(own_values) + 1e-3);
        CHECK(of_own * size >= static_cast<double>(own_values - both) - 1e-3);
        CHECK((1 - of_own) * size <= static_cast<double>(other_values) + 1e-3);
      }
    }
  }
  CHECK(areas.size() > 10);
}

TEST_CASE("image_batches: with both alphas, some batches have mixup and some CutMix") {
  const ImageSet set = random_images(320);
  int cut = 0, batches = 0;
  for (const ImageBatch& batch : image_batches(set, {{0, 0}, {1, 1}}, {.images = 8, .mixup = 1, .cutmix = 1})) {
    const std::vector<double> pixels = batch.images.values();  // CutMix leaves each a multiple of 1 / 255
    cut += std::all_of(pixels.begin(), pixels.end(),
                       [](double value) { return std::abs(value * 255 - std::round(value * 255)) < 1e-3; });
    ++batches;
  }
  CHECK(batches == 40);
  CHECK(cut > 10);
  CHECK(cut < 30);
}

TEST_CASE("image_batches: the beta distribution") {
  for (const double alpha : {0.05, 0.3, 1.0, 4.0}) {
    CAPTURE(alpha);
    Random random(9);
    constexpr int kDraws = 20000;
    double sum = 0, squares = 0, below_quarter = 0;
    for (int i = 0; i < kDraws; ++i) {
      const double x = draw_beta(alpha, random);
      REQUIRE(x >= 0);
      REQUIRE(x <= 1);
      sum += x, squares += (x - 0.5) * (x - 0.5), below_quarter += x < 0.25;
    }
    CHECK(sum / kDraws == doctest::Approx(0.5).epsilon(0.03));
    CHECK(squares / kDraws == doctest::Approx(1 / (4 * (2 * alpha + 1))).epsilon(0.04));
    if (alpha == 1) CHECK(below_quarter / kDraws == doctest::Approx(0.25).epsilon(0.04));
  }
}

TEST_CASE("image_batches: what does not fit is refused") {
  const ImageSet set = random_images(4);
  const auto start = [&](const ImageBatchOptions& options) { image_batches(set, kNormalization, options); };
  for (const ImageBatchOptions& options :
       {ImageBatchOptions{.images = 0}, ImageBatchOptions{.first = -1}, ImageBatchOptions{.augment = {.erasing = 2}},
        ImageBatchOptions{.mixup = -1}, ImageBatchOptions{.cutmix = INFINITY}, ImageBatchOptions{.cutmix = NAN}}) {
    CHECK_THROWS_AS(start(options), Error);
  }
  CHECK_THROWS_WITH_AS(to_tensor(set, {0, 4}, kNormalization), "to_tensor: picture 4 of 4", Error);
  CHECK_THROWS_WITH_AS(to_tensor(set, {0}, {{0.5f}, {1}}), "normalization: 1 means and 1 deviations for 2 channels",
                       Error);
  CHECK_THROWS_WITH_AS(to_tensor(set, {0}, {{0, 0}, {1, 0}}), "normalization: deviation 0, expected more than 0",
                       Error);
}
