#include "autograd/kernels/windows.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "tests/kernels/buffers.h"
#include "tests/kernels/thread_counts.h"
#include "tests/kernels/window_cases.h"

using namespace mixtape::tests;
using namespace mixtape::kernels;

namespace {

size_t index(int64_t i) { return static_cast<size_t>(i); }

template <class T>
std::vector<T> plain_unfold(const Windows& w, const std::vector<T>& x) {
  std::vector<T> y(index(w.count() * w.size()));
  for_each_number(w, [&](int64_t window, int64_t place, int64_t element) {
    y[index(window * w.size() + place)] = element < 0 ? T(0) : x[index(element)];
  });
  return y;
}

template <class T>
std::vector<T> plain_fold(const Windows& w, const std::vector<T>& y) {
  std::vector<T> x(index(w.batch * w.image_size()));
  for_each_number(w, [&](int64_t window, int64_t place, int64_t element) {
    if (element >= 0) x[index(element)] += y[index(window * w.size() + place)];
  });
  return x;
}

template <class T>
struct Pooled {
  std::vector<T> y;
  std::vector<int32_t> pixels;
};

template <class T>
Pooled<T> plain_max_pool(const Windows& w, const std::vector<T>& x) {
  const int64_t c = w.channels, plane = w.height * w.width;
  Pooled<T> result{std::vector<T>(index(w.count() * c)), std::vector<int32_t>(index(w.count() * c), -1)};
  for_each_number(w, [&](int64_t window, int64_t place, int64_t element) {
    if (element < 0) return;
    const size_t to = index(window * c + place % c);
    if (result.pixels[to] >= 0 && x[index(element)] <= result.y[to]) return;
    result.y[to] = x[index(element)];
    result.pixels[to] = static_cast<int32_t>(element / c % plane);
  });
  return result;
}

bool each_meets_its_image(const Windows& w) { return w.padding < w.window_height && w.padding < w.window_width; }

constexpr Windows kManyWindows{.batch = 7,
                               .height = 33,
                               .width = 31,
                               .channels = 9,
                               .window_height = 3,
                               .window_width = 3,
                               .stride = 2,
                               .padding = 1};

}  // namespace

TEST_CASE("windows: how many there are") {
  const Windows w{
      .batch = 2, .height = 7, .width = 6, .channels = 3, .window_height = 3, .window_width = 2, .stride = 2};
  CHECK(w.rows() == 3);
  CHECK(w.columns() == 3);
  CHECK(w.count() == 18);
  CHECK(w.size() == 18);
  CHECK(w.image_size() == 126);
}

TEST_CASE_TEMPLATE("unfold: what each window holds, 0 outside, at every alignment", T, float, double) {
  for (const Windows& w : window_cases()) {
    for (int64_t offset = 0; offset < 4; ++offset) {
      const auto values = random_values<T>(w.batch * w.image_size(), 1);
      Guarded<T> x(values, offset), y(w.count() * w.size(), 3 - offset);
      unfold(w, x.data(), y.data());
      CHECK(y.values() == plain_unfold(w, values));
      CHECK(y.intact());
      Guarded<T> tile(2 * w.size(), offset);
      if (w.count() < 4) continue;
      unfold_tile(w, x.data(), 1, 3, tile.data());
      const auto all = y.values();
      CHECK(tile.values() == std::vector<T>(all.begin() + w.size(), all.begin() + 3 * w.size()));
      CHECK(tile.intact());
    }
  }
}

TEST_CASE_TEMPLATE("fold: adds in the order of the windows, at every alignment", T, float, double) {
  for (const Windows& w : window_cases()) {
    for (int64_t offset = 0; offset < 4; ++offset) {
      const auto values = random_values<T>(w.count() * w.size(), 2);
      Guarded<T> y(values, offset), x(w.batch * w.image_size(), 3 - offset);
      fold(w, y.data(), x.data());
      CHECK(x.values() == plain_fold(w, values));
      CHECK(x.intact());
      std::vector<T> tiled(index(w.batch * w.image_size()));
      for (int64_t first = 0; first < w.count(); first += 3) {
        const int64_t last = std::min(w.count(), first + 3);
        fold_tile(w, y.data() + first * w.size(), first, last, tiled.data());
      }
      CHECK(tiled == x.values());
    }
  }
}

TEST_CASE_TEMPLATE("max_pool: the largest in each window and where it stands, and back", T, float, double) {
  for (const Windows& w : window_cases()) {
    if (!each_meets_its_image(w)) continue;
    for (int64_t offset = 0; offset < 4; ++offset) {
      auto values = random_values<T>(w.batch * w.image_size(), 3, -2, 0);
      for (T& value : values) value = static_cast<T>(std::round(value * 4));  // with many equals
      const Pooled<T> want = plain_max_pool(w, values);
      Guarded<T> x(values, offset), y(w.count() * w.channels, 3 - offset), dx(w.batch * w.image_size(), 1);
      Guarded<int32_t> pixels(w.count() * w.channels, offset);
      max_pool(w, x.data(), y.data(), pixels.data());
      CHECK(y.values() == want.y);
      CHECK(pixels.values() == want.pixels);
      CHECK((y.intact() && pixels.intact()));

      const auto dy = random_values<T>(w.count() * w.channels, 4);
      std::vector<T> dx_want(index(w.batch * w.image_size()));
      for (int64_t i = 0; i < w.count() * w.channels; ++i) {
        const int64_t image = i / (w.per_image() * w.channels);
        dx_want[index(image * w.image_size() + want.pixels[index(i)] * w.channels + i % w.channels)] += dy[index(i)];
      }
      max_pool_grad(w, dy.data(), pixels.data(), dx.data());
      CHECK(dx.values() == dx_want);
      CHECK(dx.intact());
    }
  }
}

TEST_CASE_TEMPLATE("max_pool: a NaN counts as largest, and minus infinity as a number", T, float, double) {
  const Windows w{
      .batch = 1, .height = 2, .width = 2, .channels = 2, .window_height = 2, .window_width = 2, .stride = 2};
  const std::vector<T> x{-kInfinity<T>, T(3), -kInfinity<T>, kNaN<T>, -kInfinity<T>, T(5), -kInfinity<T>, kNaN<T>};
  std::vector<T> y(2);
  std::vector<int32_t> pixels(2);
  max_pool(w, x.data(), y.data(), pixels.data());
  CHECK(y[0] == -kInfinity<T>);
  CHECK(std::isnan(y[1]));
  CHECK(pixels == std::vector<int32_t>{0, 1});
}

TEST_CASE_TEMPLATE("windows: the same bits on any number of threads", T, float, double) {
  const Windows& w = kManyWindows;
  const auto x = random_values<T>(w.batch * w.image_size(), 1), windows = random_values<T>(w.count() * w.size(), 2);
  const auto dy = random_values<T>(w.count() * w.channels, 3);
  check_same_bits_on_any_threads([&] {
    std::vector<T> unfolded(windows.size()), folded(x.size()), y(dy.size()), dx(x.size());
    std::vector<int32_t> pixels(dy.size());
    unfold(w, x.data(), unfolded.data());
    fold(w, windows.data(), folded.data());
    max_pool(w, x.data(), y.data(), pixels.data());
    max_pool_grad(w, dy.data(), pixels.data(), dx.data());
    return joined<T>({unfolded, folded, y, std::vector<T>(pixels.begin(), pixels.end()), dx});
  });
}
