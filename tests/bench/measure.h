#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace mixtape::bench {

/// Seconds of a steady clock.
double now();

/// Resident memory of this process in MiB: now, and the most it ever was.
double resident_mb();
double peak_resident_mb();

/// Seconds that each of `runs` calls took, after `warmup` that are not timed; sorted.
std::vector<double> time_calls(int64_t warmup, int64_t runs, const std::function<void()>& call);

/// The value below which a share of the sorted values lies.
double quantile(const std::vector<double>& sorted, double share);

}  // namespace mixtape::bench
