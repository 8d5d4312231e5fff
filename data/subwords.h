#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace mixtape::data {

struct SubwordOptions {
  int64_t vocab = 8000;  ///< pieces in all: the 4 special ones, 256 bytes, every character of the text, and merges
};

/// A vocabulary of subwords: byte pair encoding (Sennrich et al. 2016, "Neural Machine Translation of Rare Words with
/// Subword Units") by the SentencePiece library. A character that the vocabulary does not have is spelled in bytes, so
/// decode(encode(text)) == text for every UTF-8 text, white space and control characters included.
/// Copying is cheap, and const members may be called from several threads.
class Subwords {
 public:
  static constexpr int32_t kPad = 0;  ///< `<pad>`
  static constexpr int32_t kUnk = 1;  ///< `<unk>`: there for tools that want it; encode never gives it
  static constexpr int32_t kBos = 2;  ///< `<s>`: starts a sentence
  static constexpr int32_t kEos = 3;  ///< `</s>`: ends a sentence

  /// Trains a vocabulary; empty sentences count for nothing. The same sentences give the same bytes. A small text may
  /// not have as many pieces as asked for: see vocab_size. Throws when there is no text, when it is not UTF-8, or when
  /// options.vocab has no room for its characters.
  static Subwords train(const std::vector<std::string>& sentences, const SubwordOptions& options = {});

  /// Loads what to_bytes gave; `name` is for the error, which comes when the bytes are not that, or were damaged.
  static Subwords from_bytes(std::string_view bytes, std::string_view name = "subwords");
  /// A SentencePiece model that other tools can read too, and after it a checksum in a field that they skip. Those
  /// tools must put one space before each text, as encode does.
  const std::string& to_bytes() const;

  /// Loads a file that save wrote. Throws, naming the file, when it is missing or damaged.
  static Subwords load(const std::filesystem::path& path);
  /// Writes to_bytes() to a file, wholly or not at all.
  void save(const std::filesystem::path& path) const;

  /// The ids of `text`, without kBos and kEos; none for the empty text. Throws when it is not UTF-8.
  std::vector<int32_t> encode(std::string_view text) const;
  /// The text of `ids`. Special ids are skipped, except kUnk, which gives " ⁇ "; bytes that are not UTF-8 give U+FFFD.
  /// Throws at an id outside the vocabulary.
  std::string decode(std::span<const int32_t> ids) const;

  int64_t vocab_size() const;
  /// How a piece is shown: `▁house`, `</s>`, `<0xE2>`, with `▁` for a space. Throws at an id outside the vocabulary.
  const std::string& piece(int32_t id) const;

 private:
  struct Model;
  explicit Subwords(std::shared_ptr<const Model> model) : model_(std::move(model)) {}

  std::shared_ptr<const Model> model_;
};

}  // namespace mixtape::data
