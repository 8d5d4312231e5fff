#pragma once

#include <cstdint>
#include <initializer_list>

namespace mixtape::data {

/// One seed from several numbers, for a stream of random numbers that belongs to them alone: `Random(mix_seed({seed,
/// epoch, index}))`. Each number goes through the finalizer of splitmix64 (Steele, Lea, Flood 2014, "Fast Splittable
/// Pseudorandom Number Generators"), so that near numbers give seeds far apart, and their order matters.
constexpr uint64_t mix_seed(std::initializer_list<uint64_t> numbers) {
  uint64_t mixed = 0;
  for (const uint64_t number : numbers) {
    uint64_t z = (mixed ^ number) + 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    mixed = z ^ (z >> 31);
  }
  return mixed;
}

}  // namespace mixtape::data
