// Precompiled: what nearly every file of the library includes. Files include what they use all the same.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "autograd/ops.h"
#include "autograd/tape/tape.h"
#include "autograd/tensors/tensor.h"
