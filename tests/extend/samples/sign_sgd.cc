#include "optim/sign_sgd.h"

namespace mixtape::optim {

void SignSgd::update(const ParameterUpdate& u) {
  dispatch(u.parameter.dtype(), [&]<class T>(T) {
    const T* g = u.gradient.data<T>();
    T* p = u.parameter.mutable_data<T>();
    for (int64_t i = 0; i < u.parameter.elements(); ++i)
      p[i] -= static_cast<T>(u.learning_rate) * static_cast<T>((g[i] > 0) - (g[i] < 0));
  });
}

}  // namespace mixtape::optim
