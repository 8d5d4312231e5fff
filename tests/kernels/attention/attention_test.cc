#include "autograd/kernels/attention/attention.h"

#include <doctest/doctest.h>

#include <cmath>
#include <cstring>
#include <random>
#include <string>
#include <vector>

#include "tests/kernels/attention/problem.h"
#include "tests/kernels/instruction_sets.h"
#include "tests/kernels/thread_counts.h"

using namespace mixtape::tests;
using namespace mixtape::kernels;
using Shape = AttentionShape;

namespace {

constexpr double kGradTolerance[] = {1e-5, 1e-11};  // float, double

template <class T>
constexpr double kGradError = kGradTolerance[sizeof(T) == 8];

std::string described(const Shape& s) {
  std::string text = std::to_string(s.heads) + " heads, width " + std::to_string(s.width) + ", value width " +
                     std::to_string(s.value_width) + (s.causal ? ", causal" : "") + (s.allowed ? ", allowed" : "") +
                     (s.reach < AttentionBatch::kFar ? ", reach " + std::to_string(s.reach) : "") +
                     (s.bias ? ", bias" : "") + (s.dropout > 0 ? ", dropout" : "") +
                     (s.key_counts.empty() ? "" : ", key counts") + ", lengths";
  for (size_t b = 0; b < s.queries.size(); ++b)
    text += " " + std::to_string(s.queries[b]) + "x" + std::to_string(s.keys[b]);
  return text;
}

template <class T>
void check_equal(const AttentionResult<T>& got, const AttentionResult<double>& want) {
  CHECK(difference(got.out, want.out, kGradError<T>, kGradError<T>) == "");
  CHECK(difference(got.log_sums, want.log_sums, kGradError<T>, kGradError<T>) == "");
  CHECK(difference(got.dquery, want.dquery, kGradError<T>, kGradError<T>) == "");
  CHECK(difference(got.dkey, want.dkey, kGradError<T>, kGradError<T>) == "");
  CHECK(difference(got.dvalue, want.dvalue, kGradError<T>, kGradError<T>) == "");
}

void check_definition(const AttentionProblem<double>& problem, const AttentionResult<double>& expected) {
  const auto plain = reference::attention(problem, reference::exact(problem.query), reference::exact(problem.key),
                                          reference::exact(problem.value));
  CHECK(difference(expected.out, plain.out) == "");
  CHECK(difference(expected.log_sums, plain.log_sums) == "");
}

using Numbers = std::vector<long double>;

// sum(out * dout) of the plain definition.
long double plain_loss(const AttentionProblem<double>& problem, const Numbers& q, const Numbers& k, const Numbers& v) {
  const auto plain = reference::attention<long double>(problem, q, k, v);
  long double loss = 0;
  for (size_t i = 0; i < plain.out.size(); ++i) loss += plain.out[i] * problem.dout[i];
  return loss;
}

// The derivative by each element of one of q, k and v.
Numbers differences(const AttentionProblem<double>& problem, int which) {
  constexpr long double h = 1e-5L;
  Numbers operands[] = {reference::exact(problem.query), reference::exact(problem.key),
                        reference::exact(problem.value)};
  Numbers slopes;
  for (long double& x : operands[which]) {
    const long double before = x;
    x = before + h;
    const long double above = plain_loss(problem, operands[0], operands[1], operands[2]);
    x = before - h;
    const long double below = plain_loss(problem, operands[0], operands[1], operands[2]);
    x = before;
    slopes.push_back((above - below) / (2 * h));
  }
  return slopes;
}

void check_gradients(const AttentionProblem<double>& problem, const AttentionResult<double>& expected) {
  CHECK(difference(expected.dquery, differences(problem, 0), 1e-8, 1e-8) == "");
  CHECK(difference(expected.dkey, differences(problem, 1), 1e-8, 1e-8) == "");
  CHECK(difference(expected.dvalue, differences(problem, 2), 1e-8, 1e-8) == "");
}

template <class T>
void check_fused(const Shape& shape, uint64_t seed, const AttentionResult<double>& expected) {
  const AttentionProblem<T> problem(shape, seed);
  for_each_instruction_set([&] {
    bool intact = false;
    check_equal(problem.fused(static_cast<int64_t>(seed % 4), intact), expected);
    CHECK(intact);
  });
}

// The reference path in double against the plain definition, its gradients (if small) against finite differences of the
// plain definition, then the kernel against the reference path on every instruction set.
void check(const Shape& shape, uint64_t seed, bool small = false) {
  INFO("shape: ", described(shape));
  CAPTURE(seed);
  const AttentionProblem<double> problem(shape, seed);
  const AttentionResult<double> expected = problem.by_reference_path();
  check_definition(problem, expected);
  if (small) check_gradients(problem, expected);
  check_fused<float>(shape, seed, expected);
  check_fused<double>(shape, seed, expected);
}

}  // namespace

TEST_CASE("attention: small batches of every kind, gradients by differences") {
  for (int options = 0; options < 64; ++options) {
    Shape shape{{3, 0, 4, 2}, {4, 3, 0, 5}, {}, 2, 3, 2};
    shape.causal = options & 1, shape.allowed = options & 2, shape.bias = options & 4;
    shape.dropout = options & 8 ? 0.4 : 0;
    if (options & 16) shape.key_counts = {2, 3, 0, 4};
    if (options & 32) shape.reach = 1;
    check(shape, static_cast<uint64_t>(options), true);
  }
}

TEST_CASE("attention: random batches") {
  std::mt19937 generator(11);
  const auto upto = [&](unsigned n) { return static_cast<int32_t>(generator() % (n + 1)); };
  for (int trial = 0; trial < 60; ++trial) {
    Shape shape;
    for (int sequences = upto(4); sequences >= 0; --sequences) {
      shape.queries.push_back(upto(20));
      shape.keys.push_back(upto(30));
      shape.key_counts.push_back(upto(static_cast<unsigned>(shape.keys.back())));
    }
    if (upto(1)) shape.key_counts.clear();
    shape.heads = 1 + upto(3), shape.width = 1 + upto(20), shape.value_width = 1 + upto(20);
    shape.causal = upto(1), shape.allowed = upto(1), shape.bias = upto(1), shape.dropout = upto(1) * 0.3;
    if (upto(1)) shape.reach = upto(12);
    check(shape, static_cast<uint64_t>(trial));
  }
}

TEST_CASE("attention: more keys and queries than a block holds") {
  check({{130}, {300}, {}, 1, 8, 5}, 1);
  check({{65, 64, 63}, {257, 256, 255}, {}, 1, 4, 4, true}, 2);
  check({{140, 3}, {530, 600}, {520, 257}, 1, 4, 6, true, false, true, 0.2}, 3);
  check({{130}, {300}, {}, 2, 4, 4, false, true, false, 0.2}, 4);
  check({{300}, {70}, {}, 1, 4, 4, true, false, false, 0.2}, 5);
  check({{1, 1}, {700, 513}, {}, 3, 4, 4, true}, 6);
  check({{130}, {600}, {}, 1, 64, 64, true}, 7);
  check({{7, 8}, {90, 300}, {}, 1, 48, 32}, 8);
}

TEST_CASE("attention: a NaN in wide keys or queries, without a mask") {
  constexpr float kClose = 1e-4F;  // scores of this width reach 20, in f32 on both sides
  for (bool in_keys : {false, true}) {
    AttentionProblem<float> problem({{130}, {300}, {}, 1, 64, 64}, 44);
    (in_keys ? problem.key : problem.query)[70 * 64] = kNaN<float>;
    for_each_instruction_set([&] {
      const AttentionResult<float> fused = problem.fused(), expected = problem.by_reference_path();
      CHECK(difference(fused.out, expected.out, kClose, kClose) == "");
      CHECK(difference(fused.dquery, expected.dquery, kClose, kClose) == "");
      CHECK(difference(fused.dkey, expected.dkey, kClose, kClose) == "");
      CHECK(difference(fused.dvalue, expected.dvalue, kClose, kClose) == "");
    });
  }
}

TEST_CASE("attention: windows that leave blocks out") {
  for (const int64_t reach : {0, 5, 100, 300}) {
    for (const bool causal : {false, true}) {
      Shape shape{{700, 130, 3}, {700, 300, 600}, {}, 1, 4, 3, causal};
      shape.reach = reach;
      shape.dropout = reach == 5 ? 0.2 : 0;
      check(shape, static_cast<uint64_t>(reach));
    }
  }
  Shape far{{300}, {70}, {}, 1, 4, 3};  // the first queries are too far from any key
  far.reach = 20;
  check(far, 1);
}

TEST_CASE("attention: more queries than one task has") {
  check({{800}, {800}, {}, 1, 3, 2, true}, 41);
  check({{1601, 30}, {200, 30}, {195, 30}, 1, 2, 3}, 42);
}

TEST_CASE("attention: of a long sequence, heads that hold a NaN take the reference path and the others do not") {
  constexpr float kClose = 1e-4F;
  AttentionProblem<float> problem({{900}, {900}, {}, 3, 8, 8, true}, 45);
  problem.key[(850 * 3 + 1) * 8] = kNaN<float>;  // head 1: queries from 850 on see it
  const AttentionResult<float> fused = problem.fused(), expected = problem.by_reference_path();
  CHECK(difference(fused.out, expected.out, kClose, kClose) == "");
  CHECK(difference(fused.dquery, expected.dquery, kClose, kClose) == "");
  CHECK(difference(fused.dkey, expected.dkey, kClose, kClose) == "");
  CHECK(difference(fused.dvalue, expected.dvalue, kClose, kClose) == "");
  const auto hurt = [&](int64_t query, int64_t head) {
    return std::isnan(fused.out[static_cast<size_t>((query * 3 + head) * 8)]);
  };
  CHECK(!hurt(849, 1));
  CHECK(hurt(850, 1));
  CHECK(!hurt(899, 0));
  CHECK(!hurt(899, 2));
}

TEST_CASE_TEMPLATE("attention_grad: the same bits in place of out, key and value", T, float, double) {
  for (bool with_nan : {false, true}) {
    AttentionProblem<T> problem({{5, 300}, {7, 400}, {6, 400}, 2, 16, 16, true, false, false, 0.25}, 43);
    if (with_nan) problem.query[0] = kNaN<T>;
    const AttentionResult<T> apart = problem.fused();
    std::vector<T> out = apart.out, key = problem.key, value = problem.value;
    attention_grad(problem.batch(), problem.query.data(), key.data(), value.data(), out.data(), apart.log_sums.data(),
                   problem.dout.data(), out.data(), key.data(), value.data());
    const auto same = [](const std::vector<T>& a, const std::vector<T>& b) {
      return std::memcmp(a.data(), b.data(), a.size() * sizeof(T)) == 0;
    };
    CHECK(same(out, apart.dquery));
    CHECK(same(key, apart.dkey));
    CHECK(same(value, apart.dvalue));
  }
}

TEST_CASE("attention: no sequences, no positions") {
  check({{}, {}}, 1);
  check({{0, 0}, {0, 0}}, 1);
  check({{0}, {5}, {}, 2, 3, 4, true}, 1);
}

TEST_CASE_TEMPLATE("attention: a query that sees nothing gives exactly 0 and gets gradient 0", T, float, double) {
  Shape shape{{70, 5}, {3, 0}, {}, 2, 3, 4, true};  // the first 67 of the first sequence see nothing
  shape.dropout = 0.3;
  const AttentionProblem<T> problem(shape, 1);
  for_each_instruction_set([&] {
    const AttentionResult<T> r = problem.fused();
    for (int64_t i = 0; i < 75; ++i) {
      if (i >= 67 && i < 70) continue;
      for (int64_t c = 0; c < 8; ++c) CHECK(r.out[static_cast<size_t>(i * 8 + c)] == 0);
      for (int64_t c = 0; c < 6; ++c) CHECK(r.dquery[static_cast<size_t>(i * 6 + c)] == 0);
      for (int64_t h = 0; h < 2; ++h) CHECK(r.log_sums[static_cast<size_t>(i * 2 + h)] == -kInfinity<T>);
    }
  });
}

TEST_CASE_TEMPLATE("attention: a bias of -infinity for all keys gives exactly 0, fused and reference", T, float,
                   double) {
  for (bool causal : {false, true}) {
    AttentionProblem<T> problem({{4}, {300}, {}, 1, 3, 2, causal, false, true}, 1);
    std::fill_n(problem.bias.begin(), 300, -kInfinity<T>);             // query 0 sees nothing
    std::fill_n(problem.bias.begin() + 300, 270, -kInfinity<T>);       // query 1 nothing in the first block
    std::fill_n(problem.bias.begin() + 600 + 256, 44, -kInfinity<T>);  // query 2 nothing in the second
    for_each_instruction_set([&] {
      const AttentionResult<T> fused = problem.fused(), expected = problem.by_reference_path();
      for (const AttentionResult<T>& r : {fused, expected}) {
        CHECK((r.out[0] == 0 && r.out[1] == 0));
        CHECK((r.dquery[0] == 0 && r.dquery[1] == 0 && r.dquery[2] == 0));
        CHECK(r.log_sums[0] == -kInfinity<T>);
      }
      CHECK(difference(fused.out, expected.out, kGradError<T>, kGradError<T>) == "");
      CHECK(difference(fused.dquery, expected.dquery, kGradError<T>, kGradError<T>) == "");
      CHECK(difference(fused.dkey, expected.dkey, kGradError<T>, kGradError<T>) == "");
      CHECK(difference(fused.dvalue, expected.dvalue, kGradError<T>, kGradError<T>) == "");
    });
  }
}

TEST_CASE_TEMPLATE("attention: what a mask hides does not leak, NaN and infinity included", T, float, double) {
  for (T odd : {kNaN<T>, kInfinity<T>}) {
    for (int place = 0; place < 5; ++place) {
      CAPTURE(place);
      Shape shape{{6, 5}, {8, 7}, {}, 2, 3, 2, true};
      shape.bias = true, shape.dropout = 0.3;
      const AttentionProblem<T> clean(shape, 5);
      AttentionProblem<T> problem(shape, 5);
      if (place == 0) problem.key[(6 * 2 + 1) * 3] = odd;    // key 6, head 1: seen by queries 4 and 5 only
      if (place == 1) problem.value[(6 * 2 + 1) * 2] = odd;  // the same key's value
      if (place == 2) problem.query[(2 * 2 + 1) * 3] = odd;  // query 2 sees keys 0 to 4
      if (place == 3) problem.dout[(2 * 2 + 1) * 2] = odd;
      if (place == 4) problem.bias[(1 * 6 + 2) * 8 + 7] = kNaN<T>;  // of a hidden pair in head 1
      for_each_instruction_set([&] {
        const AttentionResult<T> want = clean.fused(), got = problem.fused(), expected = problem.by_reference_path();
        CHECK(difference(got.out, expected.out, kGradError<T>, kGradError<T>) == "");
        CHECK(difference(got.dquery, expected.dquery, kGradError<T>, kGradError<T>) == "");
        CHECK(difference(got.dkey, expected.dkey, kGradError<T>, kGradError<T>) == "");
        CHECK(difference(got.dvalue, expected.dvalue, kGradError<T>, kGradError<T>) == "");
        // All but head 1 of the touched rows is as if nothing had happened.
        const auto same = [&](const std::vector<T>& x, const std::vector<T>& y, int64_t width, auto touched) {
          for (size_t i = 0; i < x.size(); ++i) {
            const auto position = static_cast<int64_t>(i) / (2 * width), head = static_cast<int64_t>(i) / width % 2;
            if (head == 1 && touched(position)) continue;
            CAPTURE(position);
            CHECK(x[i] == doctest::Approx(y[i]).epsilon(1e-4));
          }
        };
        const auto query_touched = [&](int64_t i) { return place < 2 ? i == 4 || i == 5 : place < 4 && i == 2; };
        const auto key_touched = [&](int64_t j) { return place < 2 ? j < 8 : place < 4 && j <= 4; };
        same(got.out, want.out, 2, query_touched);
        same(got.dquery, want.dquery, 3, query_touched);
        same(got.dkey, want.dkey, 3, key_touched);
        same(got.dvalue, want.dvalue, 2, key_touched);
      });
    }
  }
}

TEST_CASE_TEMPLATE("attention: a NaN that is seen shows, under dropout too", T, float, double) {
  for (bool causal : {false, true}) {
    AttentionProblem<T> problem({{4}, {20}, {}, 1, 3, 6, causal, false, false, 0.5}, 5);
    problem.query[3] = kNaN<T>;  // query 1
    for_each_instruction_set([&] {
      const AttentionResult<T> r = problem.fused();
      for (size_t i = 0; i < r.out.size(); ++i) CHECK(std::isnan(r.out[i]) == (i / 6 == 1));
      CHECK(std::isnan(r.log_sums[1]));
    });
  }
}

TEST_CASE_TEMPLATE("attention: large scores", T, float, double) {
  AttentionProblem<T> problem({{3}, {270}, {}, 1, 2, 2}, 5);
  for (T& x : problem.query) x *= T(1e4);
  const auto plain = reference::attention(problem, reference::exact(problem.query), reference::exact(problem.key),
                                          reference::exact(problem.value));
  for_each_instruction_set([&] {
    const double error = 1e5 * kTolerance<T>;  // the scores' rounding
    CHECK(difference(problem.fused().out, plain.out, error, error) == "");
  });
}

TEST_CASE_TEMPLATE("attention: the same bits on any number of threads", T, float, double) {
  Shape many{{70, 129, 3, 90, 1}, {300, 129, 40, 20, 257}, {}, 4, 16, 12, true};
  many.dropout = 0.2;
  const Shape single{{900}, {1100}, {}, 1, 8, 8, true};  // tasks that wait for one another
  Shape window{{800, 2, 300}, {800, 600, 300}, {}, 3, 8, 4};
  window.reach = 150;
  const Shape one_long{{500, 9, 9, 9, 9, 9, 9, 9, 9}, {600, 9, 9, 9, 9, 9, 9, 9, 9}, {}, 2, 8, 8};
  const Shape vision{{65, 65, 65}, {65, 65, 65}, {}, 3, 64, 64}, text{{500}, {500}, {}, 4, 32, 32, true};
  for (const Shape& shape : {many, single, window, one_long, vision, text}) {
    const AttentionProblem<T> problem(shape, 5);
    check_same_bits_on_any_threads([&] {
      const AttentionResult<T> r = problem.fused();
      return joined<T>({r.out, r.log_sums, r.dquery, r.dkey, r.dvalue});
    });
  }
}
