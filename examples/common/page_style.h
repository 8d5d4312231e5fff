#pragma once

#include <string_view>

namespace mixtape::examples {

/// Colours, for light and dark themes, and styles of charts. Series have the colour-blind safe colours of Okabe and
/// Ito, darkened or lightened for contrast with the page.
extern const std::string_view kChartStyle;

/// The rest of the stylesheet of every report.
extern const std::string_view kPageStyle;

/// Tooltips: for elements with a `data-tip` text, and for the cells of heat maps.
extern const std::string_view kPageScript;

}  // namespace mixtape::examples
