"""Cases of the optimizers, and of a whole training step."""

import torch
import torch.nn.functional as F
from torch import nn

from torch_cases.cases import index, mixtape_gradients, mixtape_names, normal, randomize
from torch_cases.layers import Translator, block


def optimizers(cases):
    """<case>/start/<name>, then ten of each: <case>/gradient/<name> and <case>/after/<name>, [10, ...]."""
    sgd, adam, adamw = torch.optim.SGD, torch.optim.Adam, torch.optim.AdamW
    for case, make, options in [
        ("Sgd", sgd, {"lr": 0.1}),
        ("Sgd.weight_decay", sgd, {"lr": 0.1, "weight_decay": 0.2}),
        ("Sgd.momentum", sgd, {"lr": 0.1, "momentum": 0.9}),
        ("Sgd.dampening", sgd, {"lr": 0.1, "momentum": 0.8, "dampening": 0.3}),
        ("Sgd.nesterov", sgd, {"lr": 0.1, "momentum": 0.9, "nesterov": True}),
        ("Sgd.all", sgd, {"lr": 0.05, "momentum": 0.7, "nesterov": True, "weight_decay": 0.1}),
        ("Adam", adam, {"lr": 0.01}),
        ("Adam.betas", adam, {"lr": 0.02, "betas": (0.8, 0.98), "eps": 1e-4}),
        ("Adam.weight_decay", adam, {"lr": 0.01, "weight_decay": 0.3}),
        ("AdamW", adamw, {"lr": 0.01}),
        ("AdamW.betas", adamw, {"lr": 0.02, "betas": (0.8, 0.98), "eps": 1e-4, "weight_decay": 0.3}),
    ]:
        parameters = {"a": normal(3, 5).requires_grad_(), "b": normal(7).requires_grad_()}
        gradients = {name: normal(10, *p.shape) for name, p in parameters.items()}
        cases.store(case, "start", parameters)
        cases.store(case, "gradient", gradients)
        optimizer = make(parameters.values(), **options)
        after = {name: [] for name in parameters}
        for step in range(10):
            for name, parameter in parameters.items():
                parameter.grad = gradients[name][step].clone()
            optimizer.step()
            for name, parameter in parameters.items():
                after[name].append(parameter.detach().clone())
        cases.store(case, "after", {name: torch.stack(steps) for name, steps in after.items()})


def training_step(cases):
    """One step of an encoder-decoder: forward, loss, gradients, clipping, Adam.

    Adam's epsilon is large: it would turn the rounding errors of gradients that are 0 in exact arithmetic, those of
    the biases of keys, into steps of full size.
    """
    model = randomize(Translator(17, 2, block(True, width=12, heads=3, hidden=20), tied=True))
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3, betas=(0.9, 0.98), eps=1e-3)
    source_lengths, target_lengths = index([4, 7, 1, 5]), index([5, 6, 2, 7])
    source, target = torch.randint(4, 17, (17,)), torch.randint(4, 17, (20,))
    ends = target_lengths.cumsum(0)
    target_in, target_out = target.roll(1), target.clone()
    target_in[ends - target_lengths] = 2
    target_out[ends - 1] = 3
    cases.store("step", "in", {"source": source, "source_lengths": source_lengths, "target_in": target_in,
                               "target_out": target_out, "target_lengths": target_lengths})
    cases.store("step", "parameter", mixtape_names(dict(model.named_parameters())))
    logits = model(source, source_lengths, target_in, target_lengths)
    loss = F.cross_entropy(logits, target_out, label_smoothing=0.1)
    loss.backward()
    cases.store("step", "parameter_grad", mixtape_gradients(model))
    norm = nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    assert norm > 1.5, norm
    optimizer.step()
    cases.store("step", "out", {"logits": logits, "loss": loss, "gradient_norm": norm})
    cases.store("step", "after", mixtape_names(dict(model.named_parameters())))
