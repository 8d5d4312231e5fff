#include "examples/common/config.h"

#include <doctest/doctest.h>

#include "autograd/files/file.h"
#include "autograd/tensors/error.h"
#include "tests/temporary_folder.h"

using namespace mixtape;
using namespace mixtape::examples;
using tests::TemporaryFolder;

TEST_CASE("Config: reads what write_json wrote") {
  const TemporaryFolder folder;
  const std::string path = folder.file("config.json");
  write_json(path, {{"program", "vit"}, {"model", {{"width", 192}, {"dropout", 0.5}, {"tied", true}}}});
  const Config config(path);
  CHECK(config.text("program") == "vit");
  CHECK(config.integer("model.width") == 192);
  CHECK(config.number("model.width") == 192);
  CHECK(config.number("model.dropout") == 0.5);
  CHECK(config.flag("model.tied"));
  CHECK(config.has("model.tied"));
  CHECK(!config.has("model.depth"));
  CHECK(!config.has("program.width"));
  CHECK(config.values().get<Json::Object>().size() == 2);
}

TEST_CASE("Config: a missing key, a wrong type and another program's file are one clear line") {
  const TemporaryFolder folder;
  const std::string path = folder.file("config.json");
  write_json(path, {{"program", "vit"}, {"big", UINT64_MAX}, {"model", {{"width", 1.5}}}});
  const Config config(path);
  CHECK_THROWS_WITH_AS(config.integer("model.depth"), (path + ": \"model.depth\" is missing").c_str(), Error);
  CHECK_THROWS_WITH_AS(config.integer("model.width"),
                       (path + ": \"model.width\" must be a whole number, found 1.5").c_str(), Error);
  CHECK_THROWS_AS(config.integer("big"), Error);
  CHECK_THROWS_AS(config.text("big"), Error);
  CHECK_THROWS_AS(config.flag("big"), Error);
  CHECK_THROWS_AS(config.number("program"), Error);
  CHECK_NOTHROW(config.expect("program", "vit"));
  CHECK_THROWS_WITH_AS(config.expect("program", "translator"),
                       (path + ": \"program\" must be \"translator\", found \"vit\"").c_str(), Error);
}

TEST_CASE("Config: damaged files") {
  const TemporaryFolder folder;
  const std::string path = folder.file("config.json");
  CHECK_THROWS_AS(Config{path}, Error);
  write_atomically(path, "{\n  \"a\": 1,\n  \"b\": ?\n}\n");
  CHECK_THROWS_WITH_AS(Config{path}, (path + ":3: not valid JSON").c_str(), Error);
  write_atomically(path, "");
  CHECK_THROWS_WITH_AS(Config{path}, (path + ":1: not valid JSON").c_str(), Error);
  write_atomically(path, "[1]");
  CHECK_THROWS_WITH_AS(Config{path}, (path + ": expected a JSON object, found array").c_str(), Error);
}

TEST_CASE("write_json: bytes that are not UTF-8 do not stop it") {
  const TemporaryFolder folder;
  write_json(folder.file("a"), {{"dir", "caf\xe9"}});
  CHECK(Config(folder.file("a")).text("dir") == "caf\uFFFD");
}
