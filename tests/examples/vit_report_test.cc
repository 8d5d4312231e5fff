#include <doctest/doctest.h>

#include "autograd/tensors/error.h"
#include "autograd/tensors/random.h"
#include "data/digits.h"
#include "tests/examples/small_report.h"
#include "tests/text.h"

using namespace mixtape;
using namespace mixtape::tests;
using tests::matches_of;
using tests::TemporaryFolder;

namespace {

// Pictures of noise, the classes in turn.
data::ImageSet noise(int64_t count, int64_t classes, int64_t height, int64_t width, int64_t channels) {
  data::ImageSet set = {height, width, channels, {}, {}, {}};
  Random random(3);
  for (const double value : random.uniform({count, height, width, channels}, 0, 256).values()) {
    set.pixels.push_back(static_cast<uint8_t>(value));
  }
  for (int64_t i = 0; i < count; ++i) set.labels.push_back(static_cast<int32_t>(i % classes));
  for (int64_t i = 0; i < classes; ++i) set.classes.push_back(fmt::format("<class {}>", i));
  return set;
}

std::string report_on(const data::ImageSet& images, nn::Pooling pooling = nn::Pooling::class_token, int64_t patch = 4) {
  const TemporaryFolder folder;
  return tests::write_small_report(examples::RunFolder::create(folder.file("run")), images, pooling, patch);
}

size_t count_of(const std::string& part, const std::string& page) { return matches_of(part, page).size(); }

}  // namespace

TEST_CASE("vit report: result, curves, confusion, mistakes, attention and settings of a model of digits") {
  const std::string page = report_on(data::draw_digits(60, 1));
  std::vector<std::string> headings;
  for (const auto& match : matches_of("<h2>([^<]*)</h2>", page)) headings.push_back(match[1]);
  CHECK(headings == std::vector<std::string>{"Result", "Training", "Confusion matrix", "Most confident mistakes",
                                             "Attention", "Model"});
  CHECK(contains(page, "<dt>judged by</dt><dd>60 test images</dd>"));
  CHECK(contains(page, "<dt>top-2 accuracy</dt>"));
  CHECK(count_of("<svg class=\"chart\"", page) == 5);
  CHECK(!contains(page, "No values yet."));
  CHECK(count_of("<th scope=\"row\">", page) == 10);
  // 24 mistakes; 6 images with 2 heads and rollout; 3 layers of 2 heads of the first.
  CHECK(count_of("<img ", page) == 24 + 6 * 4 + 3 * 2);
  CHECK(count_of("alt=\"head \\d\nup to", page) == 6 * 2 + 3 * 2);
  CHECK(count_of("alt=\"rollout", page) == 6);
  CHECK(contains(page, "What the class token attends to"));
  CHECK(contains(page, "<dt>tokens</dt><dd>50</dd>"));
}

TEST_CASE("vit report: mistakes come by falling confidence, and are mistakes") {
  const std::string page = report_on(data::draw_digits(60, 1));
  const size_t start = page.find("Most confident mistakes"), end = page.find("<h2>Attention");
  const auto captions =
      matches_of("<figcaption>said (\\d) \\((\\d+)\u00a0%\\)\nis (\\d)", page.substr(start, end - start));
  REQUIRE(captions.size() == 24);
  for (size_t i = 0; i < captions.size(); ++i) {
    CHECK(captions[i][1] != captions[i][3]);
    if (i > 0) CHECK(std::stoi(captions[i - 1][2]) >= std::stoi(captions[i][2]));
  }
}

TEST_CASE("vit report: colours, pictures that are not square, many classes, no class token") {
  const std::string page = report_on(noise(60, 30, 8, 16, 3), nn::Pooling::mean);
  CHECK(contains(page, "<dt>top-5 accuracy</dt>"));
  CHECK(contains(page, "<svg class=\"map\""));
  CHECK(contains(page, "What the patches attend to on average"));
  CHECK(contains(page, "<img width=\"128\" height=\"64\" alt=\"said &lt;class "));
  CHECK(!contains(page, "<class "));
}

TEST_CASE("vit report: one class, two classes, no images") {
  const std::string one = report_on(noise(3, 1, 4, 4, 1));
  CHECK(contains(one, "<dt>accuracy</dt><dd>100.00 %</dd>"));
  CHECK(!contains(one, "top-"));
  CHECK(contains(one, "<p>None.</p>"));
  CHECK(count_of("alt=\"rollout", report_on(noise(5, 2, 8, 8, 1))) == 2);
  CHECK(contains(report_on(noise(0, 2, 8, 8, 3)), "<p>No images.</p>"));
}

TEST_CASE("vit report: large pictures are shown smaller") {
  const std::string page = report_on(noise(2, 2, 400, 400, 3), nn::Pooling::class_token, 100);
  CHECK(contains(page, "<img width=\"133\" height=\"133\""));
}

TEST_CASE("vit report: results must be those of the images") {
  const TemporaryFolder folder;
  const examples::RunFolder run = examples::RunFolder::create(folder.file("run"));
  const data::ImageSet images = data::draw_digits(10, 1);
  CHECK_THROWS_WITH_AS(
      vit::write_report(run, tests::random_classifier(images), images, "test", data::Classification(10)),
      "report: 0 results for 10 images of 10 classes", Error);
}
