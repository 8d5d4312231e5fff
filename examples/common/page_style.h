#pragma once

#include <string_view>

namespace mixtape::examples {

/// Colours, for light and dark, and how charts are drawn with them. Series colours are those of Okabe and Ito, which
/// colour-blind readers can tell apart, darkened or lightened to stand out from the page.
extern const std::string_view kChartStyle;

/// The rest of the stylesheet of every report.
extern const std::string_view kPageStyle;

/// Tooltips: for elements with a `data-tip` text, and for the cells of heat maps.
extern const std::string_view kPageScript;

}  // namespace mixtape::examples
