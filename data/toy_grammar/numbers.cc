#include "data/toy_grammar/numbers.h"

namespace mixtape::data::toy {
namespace {

const char* const kEnglish[] = {"",         "one",     "two",     "three",     "four",     "five",    "six",
                                "seven",    "eight",   "nine",    "ten",       "eleven",   "twelve",  "thirteen",
                                "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen"};
const char* const kEnglishTens[] = {"",      "",      "twenty",  "thirty", "forty",
                                    "fifty", "sixty", "seventy", "eighty", "ninety"};
const char* const kGerman[] = {"",         "eins",     "zwei",     "drei",     "vier",     "fünf",    "sechs",
                               "sieben",   "acht",     "neun",     "zehn",     "elf",      "zwölf",   "dreizehn",
                               "vierzehn", "fünfzehn", "sechzehn", "siebzehn", "achtzehn", "neunzehn"};
const char* const kGermanTens[] = {"",        "",        "zwanzig", "dreißig", "vierzig",
                                   "fünfzig", "sechzig", "siebzig", "achtzig", "neunzig"};

}  // namespace

std::string english_number(int64_t number) {
  if (number < 20) return kEnglish[number];
  const std::string tens = kEnglishTens[number / 10];
  return number % 10 == 0 ? tens : tens + "-" + kEnglish[number % 10];
}

std::string german_number(int64_t number) {
  if (number < 20) return kGerman[number];
  const std::string tens = kGermanTens[number / 10];
  if (number % 10 == 0) return tens;
  const std::string ones = number % 10 == 1 ? "ein" : kGerman[number % 10];
  return ones + "und" + tens;
}

std::string english_ordinal(int64_t number) {
  const std::string digits = std::to_string(number);
  if (number / 10 % 10 == 1) return digits + "th";
  switch (number % 10) {
    case 1:
      return digits + "st";
    case 2:
      return digits + "nd";
    case 3:
      return digits + "rd";
    default:
      return digits + "th";
  }
}

}  // namespace mixtape::data::toy
