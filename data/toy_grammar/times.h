#pragma once

#include "data/toy_grammar/dice.h"
#include "data/toy_grammar/lexicon.h"

namespace mixtape::data::toy {

/// A time expression that suits a clause of this tense: `every Monday` the present, `three days ago` the past,
/// `tomorrow` the future, `today` any.
Term time_expression(Tense tense, Dice& dice);

// The kinds of expressions, by name.
Term on_date(int64_t day, int64_t month);      ///< 3, 5: on the 3rd of May, am 3. Mai
Term at_clock(int64_t hour, int64_t quarter);  ///< 8, 2: at half past eight, um halb neun; hours 2 to 11
Term in_year(int64_t year);                    ///< in 1998, 1998
Term ago(int64_t count, int64_t unit);         ///< 3, 0: three days ago, vor drei Tagen; days, weeks, months, years
Term from_now(int64_t count, int64_t unit);    ///< in three days, in drei Tagen

}  // namespace mixtape::data::toy
