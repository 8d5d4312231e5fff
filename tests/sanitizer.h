#pragma once

namespace mixtape::tests {

/// True under AddressSanitizer, whose own memory would be counted where a test measures the process.
#if defined(__SANITIZE_ADDRESS__)
inline constexpr bool kAddressSanitizer = true;
#elif defined(__has_feature)
inline constexpr bool kAddressSanitizer = __has_feature(address_sanitizer);
#else
inline constexpr bool kAddressSanitizer = false;
#endif

}  // namespace mixtape::tests
