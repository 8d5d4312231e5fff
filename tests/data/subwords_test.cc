#include "data/subwords.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <random>

#include "autograd/tensors/error.h"
#include "tests/temporary_folder.h"

using namespace mixtape;
using data::Subwords;
using tests::TemporaryFolder;

namespace {

constexpr int32_t kVocab = 440;

/// Sentences of a tiny language, enough to learn some merges from.
std::vector<std::string> subword_corpus() {
  const std::vector<std::string> subjects = {"Der Hund", "Die Katze", "Das Mädchen", "Ein alter Mann", "Niemand"};
  const std::vector<std::string> verbs = {"sieht", "sucht", "findet", "verliert", "kauft"};
  const std::vector<std::string> objects = {"den Ball.", "die Straße!", "das Häuschen?", "1.000,5 Äpfel.", "„nichts“."};
  std::vector<std::string> sentences = {""};
  for (const auto& subject : subjects) {
    for (const auto& verb : verbs) {
      for (const auto& object : objects) sentences.push_back(subject + " " + verb + " " + object);
    }
  }
  return sentences;
}

const Subwords& trained() {
  static const Subwords subwords = Subwords::train(subword_corpus(), {.vocab = kVocab});
  return subwords;
}

void append_utf8(std::string& text, char32_t c) {
  if (c < 0x80) {
    text += static_cast<char>(c);
  } else if (c < 0x800) {
    text += {static_cast<char>(0xC0 | c >> 6), static_cast<char>(0x80 | (c & 0x3F))};
  } else if (c < 0x10000) {
    text += {static_cast<char>(0xE0 | c >> 12), static_cast<char>(0x80 | (c >> 6 & 0x3F)),
             static_cast<char>(0x80 | (c & 0x3F))};
  } else {
    text += {static_cast<char>(0xF0 | c >> 18), static_cast<char>(0x80 | (c >> 12 & 0x3F)),
             static_cast<char>(0x80 | (c >> 6 & 0x3F)), static_cast<char>(0x80 | (c & 0x3F))};
  }
}

/// Up to 30 code points; half of them from what a tokenizer may treat in a way of its own.
std::string random_text(std::mt19937& random) {
  static const std::u32string kOdd =
      U" \u2581\u2585\uFFFD\t\n\r\0<s></s><unk><pad><0x41>\u00A0\u3000\uFEFF\u200D\u0301aDe\u2047\uFFFF";
  std::string text;
  for (auto left = random() % 30; left > 0; --left) {
    char32_t c = kOdd[random() % kOdd.size()];
    if (random() % 2 == 0) c = static_cast<char32_t>(random() % (random() % 2 == 0 ? 0x3000 : 0x110000));
    if (c >= 0xD800 && c <= 0xDFFF) c = U'x';
    append_utf8(text, c);
  }
  return text;
}

}  // namespace

TEST_CASE("subwords: any text goes through encode and decode unharmed") {
  const std::vector<std::string> texts = {"",
                                          " ",
                                          "  ",
                                          "a",
                                          " a",
                                          "a ",
                                          "  zwei  Leerzeichen  ",
                                          "Der Hund sieht den Ball.",
                                          "\t",
                                          "\n",
                                          "\r\n",
                                          "a\tb\nc",
                                          std::string(1, '\0'),
                                          std::string("a\0b", 3),
                                          "\u2581",
                                          "\u2581\u2581",
                                          " \u2581 ",
                                          "a\u2581b",
                                          "\u2581a",
                                          "a\u2581",
                                          "\u2585",
                                          "\u2047",
                                          " \u2047 ",
                                          "\uFFFD",
                                          "\uFEFF",
                                          "\uFFFE\uFFFF",
                                          "\u0001\u001f\u007f\u0080\u009f",
                                          "<s>",
                                          "</s>",
                                          "<unk>",
                                          "<pad>",
                                          "<0x41>",
                                          "<0xE2><0x96><0x81>",
                                          "▁<s> </s>▁",
                                          "ﬁ ﬀ Å Å e\u0301 é",
                                          "٣ ３ ③ ½",
                                          "日本語。 中文，한국어",
                                          "\u202Eabc\u202C",
                                          "👩‍👩‍👧‍👦 🇩🇪 👍🏽",
                                          "𝒳𝓎 \U0010FFFF",
                                          "\u00A0\u2003\u3000\u200B",
                                          "„Ja“, »nein«",
                                          std::string(5000, 'x'),
                                          std::string(300, ' ')};
  for (const std::string& text : texts) {
    CAPTURE(text);
    CHECK(trained().decode(trained().encode(text)) == text);
  }
  std::mt19937 random(7);
  for (int i = 0; i < 3000; ++i) {
    const std::string text = random_text(random);
    CAPTURE(text);
    REQUIRE(trained().decode(trained().encode(text)) == text);
  }
}

TEST_CASE("subwords: what was seen often becomes pieces, what was not is spelled") {
  const auto ids = trained().encode("Der Hund sieht");
  CHECK(ids.size() == 3);
  CHECK(trained().piece(ids[1]) == "▁Hund");
  CHECK(trained().encode("日").size() == 4);  // the space in front, and three bytes
  CHECK(trained().encode("").empty());
  CHECK(std::ranges::count(trained().encode("日 \u2581 <s>"), Subwords::kUnk) == 0);
}

TEST_CASE("subwords: special ids are fixed, and skipped by decode") {
  CHECK(trained().piece(Subwords::kPad) == "<pad>");
  CHECK(trained().piece(Subwords::kUnk) == "<unk>");
  CHECK(trained().piece(Subwords::kBos) == "<s>");
  CHECK(trained().piece(Subwords::kEos) == "</s>");
  auto ids = trained().encode("Niemand sucht");
  ids.insert(ids.begin(), Subwords::kBos);
  ids.insert(ids.end(), {Subwords::kEos, Subwords::kPad});
  CHECK(trained().decode(ids) == "Niemand sucht");
  for (const int32_t id : {-1, kVocab}) {
    CHECK_THROWS_AS(trained().decode(std::vector<int32_t>{id}), Error);
    CHECK_THROWS_AS(trained().piece(id), Error);
  }
}

TEST_CASE("subwords: any ids decode to UTF-8") {
  std::mt19937 random(8);
  for (int i = 0; i < 500; ++i) {
    std::vector<int32_t> ids(random() % 12);
    for (int32_t& id : ids) id = static_cast<int32_t>(random() % kVocab);
    CHECK_NOTHROW(trained().encode(trained().decode(ids)));
  }
}

TEST_CASE("subwords: the same sentences give the same bytes") {
  CHECK(Subwords::train(subword_corpus(), {.vocab = kVocab}).to_bytes() == trained().to_bytes());
  CHECK(Subwords::train(subword_corpus(), {.vocab = kVocab + 1}).to_bytes() != trained().to_bytes());
}

TEST_CASE("subwords: the size of the vocabulary") {
  CHECK(trained().vocab_size() == kVocab);
  const int64_t all = Subwords::train(subword_corpus(), {.vocab = 100'000}).vocab_size();
  CHECK(all > kVocab);
  CHECK(all < 1'000);
  CHECK_THROWS_WITH_AS(
      Subwords::train({"abc ab"}, {.vocab = 263}),
      "subwords: got a vocabulary of 263, expected at least 264: 4 special pieces, 256 bytes and the 4 "
      "characters of the text",
      Error);
  CHECK(Subwords::train({"abc ab"}, {.vocab = 264}).vocab_size() == 264);
}

TEST_CASE("subwords: odd texts can be trained on") {
  const Subwords subwords = Subwords::train({"<s> <unk> <0x41> <s>", "a\tb a\tb", std::string("c\0d", 3),
                                             "\u2581x \u2585", "\uFFFD\n\n", "e e  e", std::string(20'000, 'y')},
                                            {.vocab = 400});
  for (const std::string text : {"<s> a\tb", "yyyyy \u2581x\n", "\uFFFD e  e"}) {
    CHECK(subwords.decode(subwords.encode(text)) == text);
  }
}

TEST_CASE("subwords: there must be text to train on") {
  CHECK_THROWS_WITH_AS(Subwords::train({}), "subwords: there is no text to train on", Error);
  CHECK_THROWS_WITH_AS(Subwords::train({"", ""}), "subwords: there is no text to train on", Error);
  CHECK_THROWS_WITH_AS(Subwords::train({"a", "b\xFF"}), "subwords: byte 2 of sentence 2 is not UTF-8", Error);
  CHECK_THROWS_WITH_AS(trained().encode("ab\xC3"), "subwords: byte 3 of the text to encode is not UTF-8", Error);
}

TEST_CASE("subwords: a vocabulary is saved and loaded whole") {
  const TemporaryFolder folder;
  trained().save(folder.file("subwords.model"));
  const Subwords loaded = Subwords::load(folder.file("subwords.model"));
  CHECK(loaded.to_bytes() == trained().to_bytes());
  CHECK(loaded.encode("Das Mädchen kauft Brot.") == trained().encode("Das Mädchen kauft Brot."));
  CHECK_THROWS_AS(Subwords::load(folder.file("none.model")), Error);
  CHECK_THROWS_AS(Subwords::load(folder.write("empty.model", "")), Error);
}

TEST_CASE("subwords: every kind of damage is noticed") {
  const std::string& bytes = trained().to_bytes();
  for (size_t size = 0; size < bytes.size(); size += 1 + size / 16) {
    CHECK_THROWS_WITH_AS(Subwords::from_bytes(bytes.substr(0, size), "x.model"),
                         "x.model: not a subword vocabulary, or damaged", Error);
  }
  std::mt19937 random(9);
  for (int i = 0; i < 1000; ++i) {
    std::string damaged = bytes;
    damaged[random() % damaged.size()] ^= static_cast<char>(1 << random() % 8);
    CHECK_THROWS_AS(Subwords::from_bytes(damaged), Error);
  }
  CHECK_THROWS_AS(Subwords::from_bytes(bytes + "x"), Error);
}
