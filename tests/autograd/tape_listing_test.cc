#include <doctest/doctest.h>

#include <set>

#include "autograd/files/json.h"
#include "autograd/ops.h"
#include "autograd/tape/tape.h"
#include "autograd/tape/tape_listing.h"
#include "autograd/tensors/error.h"

using namespace mixtape;

namespace {

// softmax(x w') summed up, recorded under the layers `encoder` and `encoder.project`.
struct Example {
  Tensor x = Tensor::ones({2, 3}), weight = Tensor::ones({4, 3}).as_parameter(), loss;

  explicit Example(Tape& tape) {
    weight.body().name = "weight";
    tape.watch(x);
    const Path* encoder = path_below(nullptr, "encoder");
    const Scope outer(encoder);
    Tensor y;
    {
      const Scope inner(path_below(encoder, "project"));
      y = linear(x, weight);
    }
    loss = sum(softmax(y) * Tensor::ones({4}));
  }
};

}  // namespace

TEST_CASE("the tape as text") {
  Tape tape;
  const Example example(tape);
  CHECK(to_string(tape) ==
        "tape that only differentiates (dropout passes everything through): 6 lines, 120 bytes saved\n"
        "%0 = watch()  f32[2, 3]\n"
        "%1 = parameter()  f32[4, 3]  encoder.project.weight\n"
        "%2 = linear(%0, %1, constant)  f32[2, 4]  saves %0, %1, 72 B  encoder.project\n"
        "%3 = softmax(%2)  f32[2, 4]  saves %3, 32 B  encoder\n"
        "%4 = multiply(%3, constant)  f32[2, 4]  saves constant, 16 B  encoder\n"
        "%5 = sum(%4)  f32[]  encoder\n");
}

TEST_CASE("a training tape says so, and a recorded backward is marked") {
  const Tensor w = Tensor::ones({2}, f64).as_parameter();
  Tape tape(TapeOptions{.random = RandomKey{1, 1}});
  tape.gradients(sum(w), {w}, {.record = true});
  const Tensor more = w * w;
  CHECK(to_string(tape) ==
        "tape that trains: 3 lines, 16 bytes saved\n"
        "%0 = parameter()  f64[2]\n"
        "%1 = sum(%0)  f64[]\n"
        "%2 = multiply(%0, %0)  f64[2]  saves %0, %0, 32 B\n");
  CHECK(to_string(tape).find("backward") == std::string::npos);
  tape.gradients(sum(more), {w}, {.record = true});
  CHECK(to_string(tape).find("  backward") != std::string::npos);
}

TEST_CASE("the tape as JSON") {
  Tape tape;
  const Example example(tape);
  const Json json = parse_json(to_json(tape), "tape");
  CHECK(json.at("trains") == false);
  const auto& lines = json.at("lines").get<Json::Array>();
  REQUIRE(lines.size() == 6);
  CHECK(lines[1] == Json{{"line", 1},
                         {"op", "parameter"},
                         {"path", "encoder.project.weight"},
                         {"inputs", Json::Array{}},
                         {"shape", Json::Array{4, 3}},
                         {"dtype", "f32"},
                         {"saved", Json::Array{}},
                         {"saved_bytes", 0},
                         {"backward", false},
                         {"rule_of", -1}});
  CHECK(lines[2].at("inputs") == Json::Array{0, 1, -1});
  CHECK(lines[2].at("saved") == Json::Array{0, 1});
  CHECK(lines[2].at("saved_bytes") == 72);
  CHECK(lines[5].at("shape") == Json::Array{});
}

TEST_CASE("the tape as a graph") {
  Tape tape;
  const Example example(tape);
  CHECK(to_dot(tape) ==
        "digraph tape {\n"
        "  node [shape=box];\n"
        "  n0 [label=\"%0 watch\\nf32[2, 3]\", style=rounded];\n"
        "  n1 [label=\"%1 encoder.project.weight\\nf32[4, 3]\", style=rounded];\n"
        "  n2 [label=\"%2 linear\\nf32[2, 4]\"];\n"
        "  n0 -> n2;\n"
        "  n1 -> n2;\n"
        "  n3 [label=\"%3 softmax\\nf32[2, 4]\"];\n"
        "  n2 -> n3;\n"
        "  n4 [label=\"%4 multiply\\nf32[2, 4]\"];\n"
        "  n3 -> n4;\n"
        "  n5 [label=\"%5 sum\\nf32[]\"];\n"
        "  n4 -> n5;\n"
        "}\n");
}

TEST_CASE("bytes saved: memory that lines share counts once, and backward frees it") {
  const Tensor w = Tensor::ones({10}, f64).as_parameter();
  Tape tape;
  const Tensor y = w * w;
  CHECK(tape.saved_bytes() == 80);
  const Tensor z = reshape(w, {2, 5}) * 2.0;
  CHECK(tape.saved_bytes() == 80);
  const Tensor loss = sum(reshape(y, {2, 5}) * z);
  CHECK(tape.saved_bytes() == 240);
  CHECK(tape.line(1).saved_bytes == 160);
  tape.backward(loss);
  CHECK(tape.saved_bytes() == 0);
  CHECK(tape.line(1).saved_bytes == 0);
}

TEST_CASE("what a line saves can be read until backward has released it") {
  const Tensor x = Tensor::from(std::vector<double>{1, 2, 3}, {3}, f64);
  Tape tape;
  tape.watch(x);
  const Tensor y = softmax(x), loss = sum(y * Tensor::ones({3}, f64));
  CHECK(tape.saved(0).empty());
  REQUIRE(tape.saved(1).size() == 1);
  CHECK(tape.saved(1)[0].is(y));
  REQUIRE(tape.saved(2).size() == 1);  // nobody asks for the gradient of the constant, for which y would be saved
  CHECK(tape.saved(2)[0].values() == std::vector<double>{1, 1, 1});
  CHECK(tape.line(2).saved == std::vector<int32_t>{-1});
  tape.backward(loss);
  CHECK(tape.saved(1).empty());
  CHECK(tape.line(1).saved.empty());
}

TEST_CASE("the line of a tensor") {
  const Tensor x = Tensor::ones({2}, f64), other = Tensor::ones({2}, f64);
  Tape tape;
  tape.watch(x);
  const Tensor y = x * other;
  CHECK(tape.find(x) == 0);
  CHECK(tape.find(y) == 1);
  CHECK(tape.find(other) == -1);
  CHECK(tape.find(Tensor()) == -1);
}

TEST_CASE("lines of a recorded backward pass name the line whose rule wrote them") {
  const Tensor x = Tensor::from(std::vector<double>{1, 2, 3}, {3}, f64);
  Tape tape;
  tape.watch(x);
  const Tensor y = softmax(x), loss = sum(y * y);
  const int32_t forward = tape.size();
  const Tensor dx = tape.gradients(loss, {x}, {.record = true})[0];
  for (int32_t i = 0; i < forward; ++i) CHECK(tape.line(i).rule_of == -1);
  std::set<int32_t> sources;
  for (int32_t i = forward; i < tape.size(); ++i) {
    CHECK(tape.line(i).backward);
    CHECK(tape.line(i).rule_of < forward);  // softmax's composed definition stands in for its rule
    sources.insert(tape.line(i).rule_of);
  }
  CHECK(sources == std::set<int32_t>{tape.find(y), tape.find(y) + 1});
  CHECK(tape.line(tape.find(dx)).rule_of == tape.find(y));
  CHECK(to_string(tape).find("backward of %1\n") != std::string::npos);

  const int32_t first_order = tape.size();
  tape.gradients(sum(dx * dx), {x}, {.record = true});
  CHECK(tape.line(tape.size() - 1).rule_of >= 0);
  CHECK(tape.line(tape.size() - 1).rule_of < first_order + 2);
  CHECK(tape.line(first_order).rule_of == -1);
}

TEST_CASE("a line that is not there") {
  Tape tape;
  CHECK_THROWS_AS(tape.saved(0), Error);
  CHECK_THROWS_WITH_AS(tape.line(0), "tape: line 0 of 0", Error);
  CHECK_THROWS_AS(tape.line(-1), Error);
}
