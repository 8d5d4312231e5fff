#pragma once

#include <string_view>

namespace mixtape::examples {

/// The stylesheet of every report. Series colours are those of Okabe and Ito, which colour-blind readers can tell
/// apart, darkened or lightened to stand out from the page.
extern const std::string_view kPageStyle;

/// Tooltips: for elements with a `data-tip` text, and for the cells of heat maps.
extern const std::string_view kPageScript;

}  // namespace mixtape::examples
