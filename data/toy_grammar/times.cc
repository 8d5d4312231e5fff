#include "data/toy_grammar/times.h"

#include <array>

#include "data/toy_grammar/numbers.h"

namespace mixtape::data::toy {
namespace {

const std::vector<Term> kWeekdays = {{"Monday", "Montag"},       {"Tuesday", "Dienstag"}, {"Wednesday", "Mittwoch"},
                                     {"Thursday", "Donnerstag"}, {"Friday", "Freitag"},   {"Saturday", "Samstag"},
                                     {"Sunday", "Sonntag"}};
const std::vector<Term> kMonths = {{"January", "Januar"},  {"February", "Februar"},  {"March", "März"},
                                   {"April", "April"},     {"May", "Mai"},           {"June", "Juni"},
                                   {"July", "Juli"},       {"August", "August"},     {"September", "September"},
                                   {"October", "Oktober"}, {"November", "November"}, {"December", "Dezember"}};
const std::vector<Term> kUnits = {{"days", "Tagen"}, {"weeks", "Wochen"}, {"months", "Monaten"}, {"years", "Jahren"}};

const std::vector<Term> kAnytime = {{"in the morning", "am Morgen"}, {"in the evening", "am Abend"},
                                    {"at noon", "am Mittag"},        {"at night", "in der Nacht"},
                                    {"in spring", "im Frühling"},    {"in summer", "im Sommer"},
                                    {"in autumn", "im Herbst"},      {"in winter", "im Winter"}};
const std::vector<Term> kHabitual = {{"every day", "jeden Tag"},
                                     {"every week", "jede Woche"},
                                     {"every month", "jeden Monat"},
                                     {"every year", "jedes Jahr"}};
const std::vector<Term> kPastTimes = {{"yesterday", "gestern"},
                                      {"last week", "letzte Woche"},
                                      {"last month", "letzten Monat"},
                                      {"last year", "letztes Jahr"}};
const std::vector<Term> kPerfectTimes = {
    {"today", "heute"}, {"this week", "diese Woche"}, {"this month", "diesen Monat"}, {"this year", "dieses Jahr"}};
const std::vector<Term> kFutureTimes = {{"tomorrow", "morgen"},
                                        {"today", "heute"},
                                        {"next week", "nächste Woche"},
                                        {"next month", "nächsten Monat"},
                                        {"next year", "nächstes Jahr"}};

const Term& at(const std::vector<Term>& list, int64_t index) { return list[static_cast<size_t>(index)]; }

Term on_weekday(Dice& dice) {
  const Term& day = dice.pick(kWeekdays);
  return {"on " + day.english, "am " + day.german};
}

Term every_weekday(Dice& dice) {
  const Term& day = dice.pick(kWeekdays);
  return {"every " + day.english, "jeden " + day.german};
}

Term any_date(Dice& dice) {
  constexpr std::array<int64_t, 12> kDays = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  const int64_t month = dice.between(1, 12);
  return on_date(dice.between(1, kDays[static_cast<size_t>(month - 1)]), month);
}

Term any_clock(Dice& dice) {
  const int64_t hour = dice.between(2, 11);
  return at_clock(hour, dice.below(4));
}

Term present_time(Dice& dice) {
  switch (dice.below(4)) {
    case 0:
      return dice.pick(kHabitual);
    case 1:
      return every_weekday(dice);
    case 2:
      return any_clock(dice);
    default:
      return dice.pick(kAnytime);
  }
}

Term past_time(Dice& dice) {
  const int64_t count = dice.between(2, 12);
  const int64_t unit = dice.below(4);
  switch (dice.below(7)) {
    case 0:
      return dice.pick(kPastTimes);
    case 1:
      return on_weekday(dice);
    case 2:
      return any_date(dice);
    case 3:
      return any_clock(dice);
    case 4:
      return in_year(dice.between(1990, 2019));
    case 5:
      return ago(count, unit);
    default:
      return dice.pick(kAnytime);
  }
}

Term future_time(Dice& dice) {
  const int64_t count = dice.between(2, 12);
  const int64_t unit = dice.below(4);
  switch (dice.below(6)) {
    case 0:
      return dice.pick(kFutureTimes);
    case 1:
      return on_weekday(dice);
    case 2:
      return any_date(dice);
    case 3:
      return any_clock(dice);
    case 4:
      return from_now(count, unit);
    default:
      return dice.pick(kAnytime);
  }
}

}  // namespace

Term on_date(int64_t day, int64_t month) {
  const Term& name = at(kMonths, month - 1);
  return {"on the " + english_ordinal(day) + " of " + name.english, "am " + std::to_string(day) + ". " + name.german};
}

Term at_clock(int64_t hour, int64_t quarter) {
  const std::string english = english_number(hour);
  const std::string german = german_number(hour);
  switch (quarter) {
    case 0:
      return {"at " + english + " o'clock", "um " + german + " Uhr"};
    case 1:
      return {"at a quarter past " + english, "um Viertel nach " + german};
    case 2:
      return {"at half past " + english, "um halb " + german_number(hour + 1)};
    default:
      return {"at a quarter to " + english, "um Viertel vor " + german};
  }
}

Term in_year(int64_t year) { return {"in " + std::to_string(year), std::to_string(year)}; }

Term ago(int64_t count, int64_t unit) {
  const Term& units = at(kUnits, unit);
  return {english_number(count) + " " + units.english + " ago", "vor " + german_number(count) + " " + units.german};
}

Term from_now(int64_t count, int64_t unit) {
  const Term& units = at(kUnits, unit);
  return {"in " + english_number(count) + " " + units.english, "in " + german_number(count) + " " + units.german};
}

Term time_expression(Tense tense, Dice& dice) {
  switch (tense) {
    case Tense::kPresent:
      return present_time(dice);
    case Tense::kPerfect:
      return dice.pick(kPerfectTimes);
    case Tense::kFuture:
    case Tense::kModal:
      return future_time(dice);
    default:
      return past_time(dice);
  }
}

}  // namespace mixtape::data::toy
