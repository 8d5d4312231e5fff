#include "data/toy_grammar/frames.h"

namespace mixtape::data::toy {
namespace {

constexpr Tense kPresent = Tense::kPresent;
constexpr Tense kPast = Tense::kPast;
constexpr Tense kPerfect = Tense::kPerfect;
constexpr Tense kPluperfect = Tense::kPluperfect;
constexpr Tense kFuture = Tense::kFuture;
constexpr Tense kModal = Tense::kModal;
constexpr Tense kPastModal = Tense::kPastModal;

const std::vector<Tense> kAll = {kPresent, kPast, kPerfect, kFuture, kModal, kPastModal};
const std::vector<Tense> kNoPerfect = {kPresent, kPast, kFuture, kModal, kPastModal};
const std::vector<Tense> kOpen = {kPresent, kFuture, kModal};

struct FrameRow {
  Construction construction;
  const std::vector<Tense>& tenses;
  std::optional<Tense> test;
  std::optional<Tense> validation;
};

/// A yes-no question gives nothing up: training would lack the words that only it begins with, such as `Did`. For that
/// reason `that`, `whether` and infinitives give up no tense with a form that their verbs have nowhere else.
const FrameRow kFrameRows[] = {
    {Construction::kStatement, kAll, kPastModal, kFuture},
    {Construction::kTimeFirst, kAll, kPerfect, kModal},
    {Construction::kPlaceFirst, kAll, kFuture, kPast},
    {Construction::kCauseFirst, kAll, kPresent, kPastModal},
    {Construction::kYesNoQuestion, kAll, std::nullopt, std::nullopt},
    {Construction::kWhenQuestion, kNoPerfect, kFuture, kPresent},
    {Construction::kWhereQuestion, kAll, kModal, kPast},
    {Construction::kWhyQuestion, kAll, kPerfect, kFuture},
    {Construction::kWhoQuestion, kAll, kPastModal, kModal},
    {Construction::kWhichQuestion, kAll, kPresent, kPastModal},
    {Construction::kBecause, kAll, kFuture, kPerfect},
    {Construction::kBecauseFirst, kAll, kPast, kModal},
    {Construction::kAlthough, kAll, kModal, kPast},
    {Construction::kAlthoughFirst, kAll, kPerfect, kPresent},
    {Construction::kWhen, kNoPerfect, kPastModal, kFuture},
    {Construction::kWhenFirst, kNoPerfect, kPresent, kPast},
    {Construction::kIf, kOpen, kFuture, std::nullopt},
    {Construction::kIfFirst, kOpen, kModal, std::nullopt},
    {Construction::kWhile, kNoPerfect, kPast, kModal},
    {Construction::kWhileFirst, kNoPerfect, kPastModal, kFuture},
    {Construction::kBefore, kNoPerfect, kPresent, kPastModal},
    {Construction::kBeforeFirst, kNoPerfect, kPast, kPresent},
    {Construction::kAfter, kNoPerfect, kModal, kPast},
    {Construction::kAfterFirst, kNoPerfect, kFuture, kModal},
    {Construction::kThat, kAll, kFuture, kModal},
    {Construction::kWhether, kAll, kPastModal, kFuture},
    {Construction::kInfinitive, kAll, kModal, kPastModal},
    {Construction::kPurpose, kAll, kPresent, kModal},
    {Construction::kSubjectRelative, kAll, kFuture, kPast},
    {Construction::kObjectRelative, kAll, kPerfect, kModal},
    {Construction::kTrailingRelative, kAll, kPast, kFuture},
    {Construction::kAnd, kAll, kModal, kPerfect},
    {Construction::kBut, kAll, kPresent, kPastModal},
};

Part part_of(const FrameRow& row, Tense tense) {
  if (tense == row.test) return Part::kTest;
  return tense == row.validation ? Part::kValidation : Part::kTrain;
}

std::vector<Frame> collect(Part part) {
  std::vector<Frame> collected;
  for (const FrameRow& row : kFrameRows) {
    for (const Tense tense : row.tenses) {
      if (part_of(row, tense) == part) collected.push_back({row.construction, tense});
    }
  }
  return collected;
}

bool is_past(Tense tense) { return tense == kPast || tense == kPastModal; }

/// For clauses of their own time: because, although, relative clauses.
std::vector<Tense> loose_tenses(Tense main) {
  switch (main) {
    case kPresent:
      return {kPresent, kPerfect, kPast, kModal};
    case kPast:
      return {kPast, kPluperfect, kPastModal};
    case kPerfect:
      return {kPresent, kPerfect, kPast};
    case kFuture:
      return {kPresent, kPerfect, kModal};
    case kModal:
      return {kPresent, kPerfect, kFuture};
    default:
      return {kPast, kPluperfect};
  }
}

/// For what is said, asked and thought.
std::vector<Tense> reported_tenses(Tense main) {
  if (is_past(main)) return {kPast, kPluperfect, kPastModal};
  return {kPresent, kPerfect, kPast, kFuture, kModal};
}

}  // namespace

const std::vector<Frame>& frames(Part part) {
  static const std::vector<Frame> train = collect(Part::kTrain);
  static const std::vector<Frame> validation = collect(Part::kValidation);
  static const std::vector<Frame> test = collect(Part::kTest);
  if (part == Part::kTrain) return train;
  return part == Part::kTest ? test : validation;
}

std::vector<Tense> second_tenses(const Frame& frame) {
  switch (frame.construction) {
    case Construction::kWhen:
    case Construction::kWhenFirst:
    case Construction::kWhile:
    case Construction::kWhileFirst:
    case Construction::kBefore:
    case Construction::kBeforeFirst:
      return {is_past(frame.tense) ? kPast : kPresent};
    case Construction::kAfter:
    case Construction::kAfterFirst:
      return {is_past(frame.tense) ? kPluperfect : kPerfect};
    case Construction::kIf:
    case Construction::kIfFirst:
      return {kPresent, kPerfect};
    case Construction::kThat:
    case Construction::kWhether:
      return reported_tenses(frame.tense);
    case Construction::kAnd:
    case Construction::kBut:
      return {frame.tense};
    case Construction::kInfinitive:
    case Construction::kPurpose:
      return {kPresent};
    default:
      return loose_tenses(frame.tense);
  }
}

std::vector<VerbObject> verb_objects(const Sentence& sentence) {
  std::vector<VerbObject> pairs;
  const auto add = [&](const Clause& clause) {
    if (clause.object && clause.object->noun) pairs.emplace_back(clause.verb->lemma(), clause.object->noun->english);
  };
  add(sentence.main);
  if (sentence.second) add(*sentence.second);
  return pairs;
}

ObjectSplit::ObjectSplit(Dice& dice) {
  for (const Verb& verb : verbs()) {
    std::vector<const Noun*> all;
    for (const Noun& noun : nouns()) {
      if (noun.kinds & verb.objects) all.push_back(&noun);
    }
    dice.shuffle(all);
    Parts parts;
    const size_t tested = (all.size() + 7) / 8;
    const size_t held_out = tested + (all.size() + 5) / 12;
    for (size_t i = 0; i < all.size(); ++i) {
      std::vector<const Noun*>& list = i < tested ? parts.test : i < held_out ? parts.validation : parts.train;
      list.push_back(all[i]);
    }
    by_verb_.push_back(parts);
  }
}

const std::vector<const Noun*>& ObjectSplit::objects(Part part, const Verb& verb) const {
  const Parts& parts = by_verb_[static_cast<size_t>(&verb - verbs().data())];
  if (part == Part::kTrain) return parts.train;
  return part == Part::kTest ? parts.test : parts.validation;
}

}  // namespace mixtape::data::toy
