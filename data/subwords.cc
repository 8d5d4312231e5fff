#include "data/subwords.h"

#include <fmt/format.h>
#include <sentencepiece_processor.h>
#include <sentencepiece_trainer.h>
#include <zlib.h>

#include <cstddef>
#include <limits>
#include <set>
#include <unordered_map>

#include "autograd/files/file.h"
#include "autograd/tensors/error.h"
#include "data/text_file.h"
#include "data/unicode.h"

namespace mixtape::data {

struct Subwords::Model {
  std::string bytes;
  sentencepiece::SentencePieceProcessor processor;
};

namespace {

constexpr int64_t kSpecialPieces = 4;
constexpr int64_t kBytePieces = 256;

/// Bytes; the most that SentencePiece allows. It leaves longer sentences out.
constexpr int64_t kLongestSentence = int64_t{1} << 30;

/// SentencePiece writes a space as U+2581 inside pieces, and would decode that character as a space.
constexpr std::string_view kSpaceSymbol = "\xE2\x96\x81";

/// Protobuf: field 200, four bytes. SentencePiece leaves the numbers from 200 on to others.
constexpr std::string_view kChecksumTag = "\xC5\x0C";

std::string checksum_field(std::string_view model) {
  auto checksum = crc32_z(0, reinterpret_cast<const Bytef*>(model.data()), model.size());
  std::string field(kChecksumTag);
  for (int i = 0; i < 4; ++i, checksum >>= 8) field += static_cast<char>(checksum & 0xFF);
  return field;
}

bool has_checksum(std::string_view bytes) {
  const size_t size = kChecksumTag.size() + 4;
  return bytes.size() > size && bytes.ends_with(checksum_field(bytes.substr(0, bytes.size() - size)));
}

/// Hands the sentences to the trainer, each with the space in front that encode adds too.
class Sentences : public sentencepiece::SentenceIterator {
 public:
  explicit Sentences(const std::vector<std::string>& sentences) : sentences_(sentences) { prepare(); }

  bool done() const override { return index_ >= sentences_.size(); }
  void Next() override {
    ++index_;
    prepare();
  }
  const std::string& value() const override { return current_; }
  sentencepiece::util::Status status() const override { return {}; }

 private:
  void prepare() {
    if (done()) return;
    current_ = sentences_[index_].empty() ? "" : " " + sentences_[index_];
  }

  const std::vector<std::string>& sentences_;
  size_t index_ = 0;
  std::string current_;
};

void check_training(const std::vector<std::string>& sentences, int64_t vocab) {
  std::set<char32_t> characters;
  for (size_t i = 0; i < sentences.size(); ++i) {
    if (const auto offset = find_invalid_utf8(sentences[i])) {
      fail(fmt::format("subwords: byte {} of sentence {} is not UTF-8", *offset + 1, i + 1));
    }
    for (const char32_t character : to_code_points(sentences[i])) characters.insert(character);
  }
  if (characters.empty()) fail("subwords: there is no text to train on");
  characters.insert(' ');
  const int64_t least = kSpecialPieces + kBytePieces + std::ssize(characters);
  if (vocab < least || vocab > std::numeric_limits<int32_t>::max()) {
    fail(
        fmt::format("subwords: got a vocabulary of {}, expected at least {}: {} special pieces, {} bytes and the {} "
                    "characters of the text",
                    vocab, least, kSpecialPieces, kBytePieces, characters.size()));
  }
}

std::unordered_map<std::string, std::string> trainer_options(int64_t vocab) {
  return {
      {"model_type", "bpe"},
      {"vocab_size", std::to_string(vocab)},
      {"hard_vocab_limit", "false"},
      {"byte_fallback", "true"},
      {"character_coverage", "1.0"},
      {"normalization_rule_name", "identity"},
      {"remove_extra_whitespaces", "false"},
      {"add_dummy_prefix", "false"},
      {"max_sentence_length", std::to_string(kLongestSentence)},
      {"num_threads", "1"},
      {"pad_id", std::to_string(Subwords::kPad)},
      {"unk_id", std::to_string(Subwords::kUnk)},
      {"bos_id", std::to_string(Subwords::kBos)},
      {"eos_id", std::to_string(Subwords::kEos)},
      {"minloglevel", "3"},
  };
}

void check(const sentencepiece::util::Status& status, std::string_view what) {
  if (!status.ok()) fail(fmt::format("subwords: {}: {}", what, status.error_message()));
}

void check_id(int32_t id, int64_t vocab_size) {
  if (id < 0 || id >= vocab_size) fail(fmt::format("subwords: id {} is outside the vocabulary of {}", id, vocab_size));
}

}  // namespace

Subwords Subwords::train(const std::vector<std::string>& sentences, const SubwordOptions& options) {
  check_training(sentences, options.vocab);
  Sentences iterator(sentences);
  std::string model;
  check(sentencepiece::SentencePieceTrainer::Train(trainer_options(options.vocab), &iterator, &model), "training");
  return from_bytes(model + checksum_field(model));
}

Subwords Subwords::from_bytes(std::string_view bytes, std::string_view name) {
  if (!has_checksum(bytes)) fail(fmt::format("{}: not a subword vocabulary, or damaged", name));
  auto model = std::make_shared<Model>();
  model->bytes = bytes;
  const auto status = model->processor.LoadFromSerializedProto(model->bytes);
  if (!status.ok()) fail(fmt::format("{}: not a subword vocabulary: {}", name, status.error_message()));
  return Subwords(std::move(model));
}

const std::string& Subwords::to_bytes() const { return model_->bytes; }

Subwords Subwords::load(const std::filesystem::path& path) { return from_bytes(read_file(path), path.string()); }

void Subwords::save(const std::filesystem::path& path) const { write_atomically(path.string(), to_bytes()); }

std::vector<int32_t> Subwords::encode(std::string_view text) const {
  if (const auto offset = find_invalid_utf8(text)) {
    fail(fmt::format("subwords: byte {} of the text to encode is not UTF-8", *offset + 1));
  }
  std::vector<int32_t> ids;
  if (text.empty()) return ids;

  const std::string spaced = fmt::format(" {}", text);
  std::string_view rest = spaced;
  for (;;) {
    const size_t found = rest.find(kSpaceSymbol);
    std::vector<int32_t> part;
    check(model_->processor.Encode(rest.substr(0, found), &part), "encoding");
    ids.insert(ids.end(), part.begin(), part.end());
    if (found == std::string_view::npos) return ids;
    for (const char* byte : {"<0xE2>", "<0x96>", "<0x81>"}) ids.push_back(model_->processor.PieceToId(byte));
    rest.remove_prefix(found + kSpaceSymbol.size());
  }
}

std::string Subwords::decode(std::span<const int32_t> ids) const {
  for (const int32_t id : ids) check_id(id, vocab_size());
  std::string text;
  check(model_->processor.Decode(std::vector<int>(ids.begin(), ids.end()), &text), "decoding");
  if (text.starts_with(' ')) text.erase(0, 1);
  return text;
}

int64_t Subwords::vocab_size() const { return model_->processor.GetPieceSize(); }

const std::string& Subwords::piece(int32_t id) const {
  check_id(id, vocab_size());
  return model_->processor.IdToPiece(id);
}

}  // namespace mixtape::data
