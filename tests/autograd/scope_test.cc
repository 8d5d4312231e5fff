#include "autograd/tape/scope.h"

#include <doctest/doctest.h>

#include <thread>

using namespace mixtape;

TEST_CASE("a path is one object a place") {
  const Path* encoder = path_below(nullptr, "encoder");
  const Path* layer = path_below(encoder, "layer.0");
  CHECK(to_string(layer) == "encoder.layer.0");
  CHECK(path_below(path_below(nullptr, "encoder"), "layer.0") == layer);
  CHECK(path_below(nullptr, "layer.0") != layer);
  CHECK(to_string(nullptr).empty());
  CHECK(to_string(path_below(path_below(nullptr, ""), "weight")) == "weight");
  CHECK(to_string(path_below(encoder, "")) == "encoder");
}

TEST_CASE("scopes nest, and end with an exception, too") {
  const Path *outer = path_below(nullptr, "outer"), *inner = path_below(outer, "inner");
  CHECK(current_path() == nullptr);
  {
    const Scope scope(outer);
    CHECK(current_path() == outer);
    try {
      const Scope deeper(inner);
      CHECK(current_path() == inner);
      throw 1;
    } catch (int) {
      CHECK(current_path() == outer);
    }
  }
  CHECK(current_path() == nullptr);
}

TEST_CASE("a scope is its thread's") {
  const Scope scope(path_below(nullptr, "here"));
  std::thread([] { CHECK(current_path() == nullptr); }).join();
}
