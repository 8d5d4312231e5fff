// Precompiled: what nearly every test includes. Files include what they use all the same.
#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "autograd/ops.h"
#include "autograd/tape/tape.h"
#include "autograd/tensors/tensor.h"
#include "nn/layer.h"
