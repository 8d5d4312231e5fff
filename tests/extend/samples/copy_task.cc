#include "data/copy_task.h"

#include "autograd/tensors/random.h"

namespace mixtape::data {

ParallelText copy_task(int64_t pairs, uint64_t seed) {
  Random random(seed);
  ParallelText text;
  for (int64_t i = 0; i < pairs; ++i) {
    std::string sentence;
    for (int64_t k = 3 + random.below(5); k > 0; --k) sentence += static_cast<char>('a' + random.below(26));
    text.pairs.push_back({sentence, sentence});
  }
  return text;
}

}  // namespace mixtape::data
