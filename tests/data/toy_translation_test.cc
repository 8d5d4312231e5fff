#include "data/toy_translation.h"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <unordered_map>

#include "data/bleu.h"
#include "data/toy_grammar/sentences.h"

using namespace mixtape::data;

namespace {

/// Made once for all tests of this file.
const ToyCorpus& toy_corpus() {
  static const ToyCorpus made = toy_translation();
  return made;
}

const toy::Sentences& sentences() {
  static const toy::Sentences made = toy::toy_sentences(1);
  return made;
}

std::vector<std::string> sources(const ParallelText& text) {
  std::vector<std::string> lines;
  for (const SentencePair& pair : text.pairs) lines.push_back(pair.source);
  return lines;
}

std::vector<std::string> targets(const ParallelText& text) {
  std::vector<std::string> lines;
  for (const SentencePair& pair : text.pairs) lines.push_back(pair.target);
  return lines;
}

std::set<std::string> word_forms(const std::vector<std::string>& lines) {
  std::set<std::string> words;
  for (const std::string& line : lines) {
    for (const std::string& word : toy::words_of(line)) words.insert(word);
  }
  return words;
}

/// Word forms without numbers in digits, and with capitals ignored, so that nothing counts twice.
size_t count_proper_words(const std::vector<std::string>& lines) {
  std::set<std::string> words;
  for (std::string word : word_forms(lines)) {
    if (word[0] >= '0' && word[0] <= '9') continue;
    if (word[0] >= 'A' && word[0] <= 'Z') word[0] = static_cast<char>(word[0] - 'A' + 'a');
    words.insert(word);
  }
  return words.size();
}

double mean_length(const std::vector<std::string>& lines) {
  size_t words = 0;
  for (const std::string& line : lines) words += toy::words_of(line).size();
  return static_cast<double>(words) / static_cast<double>(lines.size());
}

std::set<toy::VerbObject> pairs_in(const std::vector<toy::Sentence>& list) {
  std::set<toy::VerbObject> pairs;
  for (const toy::Sentence& sentence : list) {
    for (const toy::VerbObject& pair : toy::verb_objects(sentence)) pairs.insert(pair);
  }
  return pairs;
}

toy::Frame frame_of(const toy::Sentence& sentence) { return {sentence.construction, sentence.main.tense}; }

std::set<toy::Frame> frames_in(const std::vector<toy::Sentence>& list) {
  std::set<toy::Frame> frames;
  for (const toy::Sentence& sentence : list) frames.insert(frame_of(sentence));
  return frames;
}

template <typename T>
bool disjoint(const std::set<T>& left, const std::set<T>& right) {
  return std::none_of(left.begin(), left.end(), [&](const T& item) { return right.contains(item); });
}

/// Words as numbers, for the baselines.
class Vocabulary {
 public:
  int64_t add(const std::string& word) {
    const auto [entry, is_new] = ids_.try_emplace(word, size());
    if (is_new) words_.push_back(word);
    return entry->second;
  }
  /// Words and punctuation of a line; the first letter in lower case.
  std::vector<int64_t> add_line(std::string line) {
    if (line[0] >= 'A' && line[0] <= 'Z') line[0] = static_cast<char>(line[0] - 'A' + 'a');
    std::vector<int64_t> ids;
    for (const std::string& word : tokenize_13a(line)) ids.push_back(add(word));
    return ids;
  }
  int64_t size() const { return static_cast<int64_t>(words_.size()); }
  const std::string& word(int64_t id) const { return words_[static_cast<size_t>(id)]; }

 private:
  std::unordered_map<std::string, int64_t> ids_;
  std::vector<std::string> words_;
};

using Line = std::vector<int64_t>;

/// IBM model 1 (Brown et al. 1993): for each source word the target word that it most probably becomes.
std::vector<int64_t> learn_dictionary(const std::vector<Line>& sources, const std::vector<Line>& targets,
                                      int64_t source_words, int64_t target_words) {
  const auto cell = [&](int64_t source, int64_t target) { return static_cast<size_t>(source * target_words + target); };
  const size_t cells = static_cast<size_t>(source_words * target_words);
  std::vector<float> probability(cells, 1.0f / static_cast<float>(target_words));
  std::vector<int64_t> best(static_cast<size_t>(source_words), 0);
  for (int round = 0; round < 5; ++round) {
    std::vector<float> counts(cells, 0.0f);
    for (size_t line = 0; line < sources.size(); ++line) {
      for (const int64_t target : targets[line]) {
        float total = 0;
        for (const int64_t source : sources[line]) total += probability[cell(source, target)];
        for (const int64_t source : sources[line]) {
          counts[cell(source, target)] += probability[cell(source, target)] / total;
        }
      }
    }
    for (int64_t source = 0; source < source_words; ++source) {
      const auto row = counts.begin() + source * target_words;
      float total = 0;
      for (int64_t target = 0; target < target_words; ++target) total += row[target];
      for (int64_t target = 0; target < target_words; ++target) {
        probability[cell(source, target)] = total > 0 ? row[target] / total : 0;
      }
      best[static_cast<size_t>(source)] = std::max_element(row, row + target_words) - row;
    }
  }
  return best;
}

/// For each query the index of the line that shares most words with it: 2 x shared / (both lengths).
std::vector<size_t> nearest_lines(const std::vector<Line>& lines, const std::vector<Line>& queries, int64_t words) {
  std::vector<std::vector<size_t>> lines_with(static_cast<size_t>(words));
  for (size_t line = 0; line < lines.size(); ++line) {
    for (const int64_t word : std::set<int64_t>(lines[line].begin(), lines[line].end())) {
      lines_with[static_cast<size_t>(word)].push_back(line);
    }
  }
  std::vector<size_t> nearest;
  for (const Line& query : queries) {
    std::vector<int> shared(lines.size(), 0);
    for (const int64_t word : std::set<int64_t>(query.begin(), query.end())) {
      for (const size_t line : lines_with[static_cast<size_t>(word)]) ++shared[line];
    }
    const auto similarity = [&](size_t line) {
      return shared[line] / static_cast<double>(lines[line].size() + query.size());
    };
    size_t best = 0;
    for (size_t line = 0; line < lines.size(); ++line) {
      if (similarity(line) > similarity(best)) best = line;
    }
    nearest.push_back(best);
  }
  return nearest;
}

}  // namespace

TEST_CASE("the toy toy_corpus has the promised size") {
  CHECK(toy_corpus().train.pairs.size() == 20000);
  CHECK(toy_corpus().validation.pairs.size() == 1000);
  CHECK(toy_corpus().test.pairs.size() == 1000);
  CHECK(count_proper_words(sources(toy_corpus().train)) >= 600);
  CHECK(count_proper_words(targets(toy_corpus().train)) >= 600);
  for (const ParallelText* part : {&toy_corpus().train, &toy_corpus().validation, &toy_corpus().test}) {
    CHECK(mean_length(sources(*part)) >= 8);
    CHECK(mean_length(targets(*part)) >= 8);
  }
  MESSAGE(fmt::format("train: {} English and {} German word forms, mean length {:.1f} and {:.1f} words",
                      count_proper_words(sources(toy_corpus().train)), count_proper_words(targets(toy_corpus().train)),
                      mean_length(sources(toy_corpus().train)), mean_length(targets(toy_corpus().train))));
}

TEST_CASE("no English sentence occurs twice") {
  std::set<std::string> seen;
  for (const ParallelText* part : {&toy_corpus().train, &toy_corpus().validation, &toy_corpus().test}) {
    for (const SentencePair& pair : part->pairs) seen.insert(pair.source);
  }
  CHECK(seen.size() == 22000);
}

TEST_CASE("every held-out word occurs in training") {
  const std::set<std::string> english = word_forms(sources(toy_corpus().train));
  const std::set<std::string> german = word_forms(targets(toy_corpus().train));
  for (const ParallelText* part : {&toy_corpus().validation, &toy_corpus().test}) {
    for (const std::string& word : word_forms(sources(*part))) CHECK_MESSAGE(english.contains(word), word);
    for (const std::string& word : word_forms(targets(*part))) CHECK_MESSAGE(german.contains(word), word);
  }
}

TEST_CASE("held-out sentences have verb-object pairs of their own") {
  const std::set<toy::VerbObject> train = pairs_in(sentences().train);
  const std::set<toy::VerbObject> validation = pairs_in(sentences().validation);
  const std::set<toy::VerbObject> test = pairs_in(sentences().test);
  CHECK(disjoint(train, test));
  CHECK(disjoint(train, validation));
  CHECK(disjoint(validation, test));
  for (const std::vector<toy::Sentence>* part : {&sentences().validation, &sentences().test}) {
    for (const toy::Sentence& sentence : *part) CHECK_FALSE(toy::verb_objects(sentence).empty());
  }
  std::set<std::string> verbs, objects;
  for (const auto& [verb, object] : train) {
    verbs.insert(verb);
    objects.insert(object);
  }
  for (const auto& [verb, object] : test) {
    CHECK_MESSAGE(verbs.contains(verb), verb);
    CHECK_MESSAGE(objects.contains(object), object);
  }
  MESSAGE(fmt::format("verb-object pairs: {} in training, {} in validation, {} in test", train.size(),
                      validation.size(), test.size()));
}

TEST_CASE("held-out sentences have clause frames with tense of their own") {
  const std::set<toy::Frame> train = frames_in(sentences().train);
  const std::set<toy::Frame> validation = frames_in(sentences().validation);
  const std::set<toy::Frame> test = frames_in(sentences().test);
  CHECK(disjoint(train, test));
  CHECK(disjoint(train, validation));
  CHECK(disjoint(validation, test));
  for (const toy::Frame& held_out : test) {
    const auto same_construction = [&](const toy::Frame& f) { return f.construction == held_out.construction; };
    const auto same_tense = [&](const toy::Frame& f) { return f.tense == held_out.tense; };
    CHECK(std::count_if(train.begin(), train.end(), same_construction) >= 2);
    CHECK(std::count_if(train.begin(), train.end(), same_tense) >= 10);
  }
  MESSAGE(fmt::format("clause frames with tense: {} in training, {} in validation, {} in test", train.size(),
                      validation.size(), test.size()));
}

TEST_CASE("an English sentence has one translation, whatever the seed") {
  std::map<std::string, std::string> translation;
  const ToyCorpus other = toy_translation(2);
  for (const SentencePair& pair : toy_corpus().train.pairs) translation[pair.source] = pair.target;
  size_t met_again = 0;
  for (const SentencePair& pair : other.train.pairs) {
    const auto known = translation.find(pair.source);
    if (known == translation.end()) continue;
    CHECK_MESSAGE(known->second == pair.target, pair.source);
    ++met_again;
  }
  CHECK(met_again > 10);
}

TEST_CASE("the toy_corpus is a function of the seed, the same with every compiler") {
  uint64_t hash = 14695981039346656037u;  // FNV-1a
  for (const ParallelText* part : {&toy_corpus().train, &toy_corpus().validation, &toy_corpus().test}) {
    for (const SentencePair& pair : part->pairs) {
      for (const char letter : pair.source + "\t" + pair.target + "\n") {
        hash = (hash ^ static_cast<unsigned char>(letter)) * 1099511628211u;
      }
    }
  }
  CHECK(hash == 2019498754514989507u);
  for (size_t i = 0; i < 1000; ++i) {
    CHECK(toy::to_english(sentences().test[i]) == toy_corpus().test.pairs[i].source);
    CHECK(toy::to_german(sentences().test[i]) == toy_corpus().test.pairs[i].target);
  }
}

TEST_CASE("neither a dictionary nor a memory translates the test part") {
  Vocabulary english, german;
  std::vector<Line> train_sources, train_targets, test_sources;
  for (const SentencePair& pair : toy_corpus().train.pairs) {
    train_sources.push_back(english.add_line(pair.source));
    train_targets.push_back(german.add_line(pair.target));
  }
  for (const SentencePair& pair : toy_corpus().test.pairs) test_sources.push_back(english.add_line(pair.source));

  const std::vector<int64_t> dictionary = learn_dictionary(train_sources, train_targets, english.size(), german.size());
  const std::vector<size_t> nearest = nearest_lines(train_sources, test_sources, english.size());
  std::vector<std::string> word_by_word, remembered;
  for (size_t i = 0; i < test_sources.size(); ++i) {
    std::vector<std::string> words;
    for (const int64_t word : test_sources[i]) words.push_back(german.word(dictionary[static_cast<size_t>(word)]));
    word_by_word.push_back(toy::as_sentence(toy::join(words), ""));
    remembered.push_back(toy_corpus().train.pairs[nearest[i]].target);
  }
  const std::vector<std::string> references = targets(toy_corpus().test);
  const double dictionary_bleu = bleu(word_by_word, references).score;
  const double memory_bleu = bleu(remembered, references).score;
  MESSAGE(fmt::format("BLEU of word-by-word replacement: {:.1f}", dictionary_bleu));
  MESSAGE(fmt::format("BLEU of the nearest training sentence: {:.1f}", memory_bleu));
  CHECK(dictionary_bleu < 50);
  CHECK(memory_bleu < 50);
  CHECK(dictionary_bleu > 5);  // both do what they say
  CHECK(memory_bleu > 1);
  CHECK(bleu(references, references).score == doctest::Approx(100));
}
