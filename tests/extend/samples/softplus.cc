Tensor softplus(const Tensor& x) {
  Tensor y;
  {
    const Pause pause;
    y = log(exp(x) + 1.0);
  }
  return record("softplus", {x}, y,
                Rule(x, Save{x}, [](const Tensor& dy, const Tensor& x) { return dy / (exp(-x) + 1.0); }));
}
