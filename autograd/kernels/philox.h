#pragma once

#include <array>
#include <cstdint>

namespace mixtape::kernels {

inline constexpr uint32_t kPhiloxMultiplier0 = 0xD2511F53;
inline constexpr uint32_t kPhiloxMultiplier1 = 0xCD9E8D57;
inline constexpr uint32_t kPhiloxKeyStep0 = 0x9E3779B9;
inline constexpr uint32_t kPhiloxKeyStep1 = 0xBB67AE85;
inline constexpr int kPhiloxRounds = 10;

/// Philox4x32-10 (Salmon et al. 2011): four random words as a function of a 128-bit counter and a 64-bit key.
constexpr std::array<uint32_t, 4> philox(std::array<uint32_t, 4> counter, std::array<uint32_t, 2> key) {
  auto [a, b, c, d] = counter;
  for (int round = 0; round < kPhiloxRounds; ++round) {
    const uint64_t p = uint64_t{kPhiloxMultiplier0} * a;
    const uint64_t q = uint64_t{kPhiloxMultiplier1} * c;
    a = static_cast<uint32_t>(q >> 32) ^ b ^ key[0];
    b = static_cast<uint32_t>(q);
    c = static_cast<uint32_t>(p >> 32) ^ d ^ key[1];
    d = static_cast<uint32_t>(p);
    key[0] += kPhiloxKeyStep0;
    key[1] += kPhiloxKeyStep1;
  }
  return {a, b, c, d};
}

}  // namespace mixtape::kernels
