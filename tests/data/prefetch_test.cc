#include "data/prefetch.h"

#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

using mixtape::data::Prefetch;

namespace {

// What a Prefetch gives, up to its end.
std::vector<int64_t> all_of(Prefetch<int64_t>& batches) {
  std::vector<int64_t> result;
  for (const int64_t batch : batches) result.push_back(batch);
  return result;
}

std::vector<int64_t> squares(int64_t first, int64_t last) {
  std::vector<int64_t> result;
  for (int64_t i = first; i < last; ++i) result.push_back(i * i);
  return result;
}

int64_t square(int64_t index) { return index * index; }

// True soon after `condition` is; false if it is not within ten seconds.
template <class Condition>
bool comes_true(const Condition& condition) {
  for (int i = 0; i < 10'000 && !condition(); ++i) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  return condition();
}

}  // namespace

TEST_CASE("prefetch: every batch once, in order") {
  for (const size_t ahead : {0u, 1u, 2u, 7u}) {
    CAPTURE(ahead);
    Prefetch<int64_t> batches(3, 12, square, ahead);
    CHECK(batches.size() == 9);
    CHECK(all_of(batches) == squares(3, 12));
    CHECK(all_of(batches).empty());
  }
}

TEST_CASE("prefetch: no batches") {
  int calls = 0;
  const auto count = [&](int64_t index) {
    ++calls;
    return index;
  };
  Prefetch<int64_t> none(5, 5, count), fewer(5, 4, count);
  CHECK(none.size() == 0);
  CHECK(all_of(none).empty());
  CHECK(fewer.size() == 0);
  CHECK(all_of(fewer).empty());
  CHECK(calls == 0);
}

TEST_CASE("prefetch: many batches, with a slow side or the other") {
  Prefetch<int64_t> quick(0, 20'000, square);
  CHECK(all_of(quick) == squares(0, 20'000));
  const auto pause = [] { std::this_thread::sleep_for(std::chrono::microseconds(200)); };
  Prefetch<int64_t> slow_maker(0, 100, [&](int64_t index) {
    pause();
    return square(index);
  });
  CHECK(all_of(slow_maker) == squares(0, 100));
  Prefetch<int64_t> slow_user(0, 100, square, 2);
  std::vector<int64_t> result;
  for (const int64_t batch : slow_user) {
    pause();
    result.push_back(batch);
  }
  CHECK(result == squares(0, 100));
}

TEST_CASE("prefetch: it works ahead, but not further than asked") {
  std::atomic<int> made{0};
  Prefetch<int64_t> batches(
      0, 100,
      [&](int64_t index) {
        ++made;
        return index;
      },
      3);
  CHECK(comes_true([&] { return made == 3; }));
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  CHECK(made == 3);
  auto at = batches.begin();
  CHECK(*at == 0);
  CHECK(comes_true([&] { return made == 4; }));
  ++at;
  CHECK(*at == 1);
  CHECK(comes_true([&] { return made == 5; }));
}

TEST_CASE("prefetch: what making a batch throws comes out at that batch") {
  std::atomic<int> made{0};
  Prefetch<int64_t> batches(0, 100, [&](int64_t index) {
    ++made;
    if (index == 5) throw std::runtime_error("batch 5 is broken");
    return index;
  });
  std::vector<int64_t> seen;
  const auto loop = [&] {
    for (const int64_t batch : batches) seen.push_back(batch);
  };
  CHECK_THROWS_WITH_AS(loop(), "batch 5 is broken", std::runtime_error);
  CHECK(seen == std::vector<int64_t>{0, 1, 2, 3, 4});
  CHECK(made == 6);
  CHECK(all_of(batches).empty());
}

TEST_CASE("prefetch: the first batch may throw, too, and an error that nobody reaches is dropped") {
  const auto broken = [](int64_t index) -> int64_t {
    if (index >= 1) throw std::runtime_error("broken");
    return index;
  };
  Prefetch<int64_t> first(1, 9, broken);
  CHECK_THROWS_AS(all_of(first), std::runtime_error);
  Prefetch<int64_t> second(0, 9, broken);
  for (const int64_t batch : second) {
    CHECK(batch == 0);
    break;
  }
}

TEST_CASE("prefetch: leaving the loop early joins the thread") {
  std::atomic<int> running{0};
  const auto guarded = [&](int64_t index) {
    ++running;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
    --running;
    return index;
  };
  for (int round = 0; round < 20; ++round) {
    for (const int64_t batch : Prefetch<int64_t>(0, 1'000'000, guarded)) {
      if (batch == round % 4) break;
    }
    CHECK(running == 0);  // else the thread would still use what is gone
  }
  { const Prefetch<int64_t> unused(0, 1'000'000, guarded); }
  CHECK(running == 0);
}

TEST_CASE("prefetch: an exception in the loop's body joins the thread") {
  std::atomic<int> running{0};
  const auto loop = [&] {
    for (const int64_t batch : Prefetch<int64_t>(0, 1'000'000, [&](int64_t index) {
           ++running;
           std::this_thread::sleep_for(std::chrono::milliseconds(1));
           --running;
           return index;
         })) {
      if (batch == 3) throw std::runtime_error("the body's own");
    }
  };
  CHECK_THROWS_WITH_AS(loop(), "the body's own", std::runtime_error);
  CHECK(running == 0);
}

TEST_CASE("prefetch: batches that can only be moved, and a Prefetch that is") {
  using Owned = std::unique_ptr<std::string>;
  Prefetch<Owned> made(0, 5, [](int64_t index) { return std::make_unique<std::string>(std::to_string(index)); });
  Prefetch<Owned> batches = std::move(made);
  std::string text;
  for (const Owned& batch : batches) text += *batch;
  CHECK(text == "01234");
}
