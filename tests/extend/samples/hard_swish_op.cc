Tensor hard_swish(const Tensor& x) {
  check_differentiable("hard_swish", x);
  Tensor y = Tensor::like(x);
  dispatch(x.dtype(), [&]<class T>(T) { kernels::hard_swish(x.data<T>(), y.mutable_data<T>(), x.elements()); });
  return record("hard_swish", {x}, y,
                Rule(x, Save{x},
                     [](const Tensor& dy, const Tensor& x, Gradient& dx) {
                       dispatch(x.dtype(), [&]<class T>(T) {
                         kernels::hard_swish_grad(x.data<T>(), dy.data<T>(), dx.data<T>(), x.elements());
                       });
                     },
                     {.overwrite_dy = true}),
                [](const Tensor& x) { return x * (relu(x + 3.0) - relu(x - 3.0)) / 6.0; });
}
