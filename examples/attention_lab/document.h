#pragma once

#include <vector>

#include "autograd/files/json.h"
#include "examples/attention_lab/cost.h"
#include "examples/attention_lab/study.h"

namespace mixtape::attention_lab {

/// {"rows", "columns", "values"} of a matrix; a vector is one row, a [H, .., ..] tensor a list, an undefined one null.
Json to_json(const Tensor& x);

/// A study as the page reads it: source, inputs, forward, backward, numeric derivatives, the tape, and the rest.
/// Numbers are exact; for wide layers, the overview and numeric derivatives have ten digits, and the numeric
/// derivatives of the weights are null: the page can compute them.
Json to_json(const Study& study);

/// {"version": 1, "presets": [...], "cost": [...]}
Json to_document(const std::vector<Study>& studies, const std::vector<CostRow>& costs);

}  // namespace mixtape::attention_lab
