"""A file of cases, and what their inputs and modules are made with."""

import pathlib

import safetensors.torch
import torch
from torch import nn


# --- numbers that float32 holds


def normal(*shape):
    return torch.randn(shape, dtype=torch.float32).double()


def positive(*shape):
    return (torch.rand(shape, dtype=torch.float32) + 0.5).double()


def index(values):
    return torch.tensor(values, dtype=torch.int64)


def randomize(module):
    """Gives every weight a value that matters (biases often start at 0, norms at 1), about as large as in Linear."""
    with torch.no_grad():
        for name, parameter in module.named_parameters():
            is_scale = "norm" in name.lower() and name.endswith("weight")
            noise = normal(*parameter.shape)
            parameter.copy_((1 + 0.2 * noise if is_scale else 0.25 * noise).float())
    return module


# --- packed and padded


def padded(rows, lengths):
    return nn.utils.rnn.pad_sequence(rows.split(lengths.tolist()), batch_first=True)


def packed(batch, lengths):
    return torch.cat([sequence[:length] for sequence, length in zip(batch, lengths)])


def beyond(lengths, size=None):
    """True at the places of padding, [B, size]."""
    return torch.arange(size or int(lengths.max())) >= lengths[:, None]


def future(queries, keys):
    """True where the last `queries` of `keys` positions must not look."""
    return torch.ones(queries, keys, dtype=torch.bool).triu(keys - queries + 1)


# --- images with the channels last, and second


def channels_second(x):
    return x.permute(0, 3, 1, 2)


def channels_last(x):
    return x.permute(0, 2, 3, 1)


# --- a file of cases


class Cases:
    def __init__(self):
        self.tensors = {}

    def store(self, case, group, named):
        for name, tensor in named.items():
            key = f"{case}/{group}/{name}"
            assert key not in self.tensors, key
            tensor = tensor.detach()
            tensor = tensor.double() if tensor.is_floating_point() else tensor.int()
            self.tensors[key] = tensor.clone().contiguous()

    def add(self, case, function, module=None, **inputs):
        """Runs function(**inputs), with all its gradients. What it gives is one tensor, or a tuple."""
        inputs = {n: x.clone().requires_grad_() if x.is_floating_point() else x for n, x in inputs.items()}
        results = function(**inputs)
        results = results if isinstance(results, tuple) else (results,)
        results = dict(enumerate(results))
        seeds = {i: normal(*y.shape) for i, y in results.items() if y.requires_grad}
        self.store(case, "in", inputs)
        self.store(case, "out", results)
        self.store(case, "seed", seeds)
        if seeds:
            sum((results[i] * seed).sum() for i, seed in seeds.items()).backward()
        self.store(case, "grad", {n: x.grad for n, x in inputs.items() if x.grad is not None})
        if module is not None:
            self.store(case, "parameter", mixtape_names(dict(module.named_parameters())))
            self.store(case, "parameter_grad", mixtape_gradients(module))

    def save(self, name):
        path = pathlib.Path(__file__).parent.parent / "torch" / f"{name}.safetensors"
        safetensors.torch.save_file(self.tensors, path, metadata={"torch": torch.__version__})
        cases = len({key.rsplit("/", 2)[0] for key in self.tensors})
        print(f"{path.name}: {cases} cases by PyTorch {torch.__version__}, {path.stat().st_size} bytes")


def mixtape_names(named):
    """PyTorch's names and layouts of weights to mixtape's; the joint projection of queries, keys and values is taken
    apart."""
    renamed = {}
    for name, tensor in named.items():
        prefix, _, last = name.rpartition("norm2.")
        if last and f"{prefix}multihead_attn.in_proj_weight" not in named:
            name = name.replace("norm2.", "feed_forward_norm.")
        for theirs, ours in [("layers.", "layer."), ("self_attn.", "attention."), ("multihead_attn.", "cross."),
                             ("out_proj.", "output."), ("linear1.", "feed_forward.up."),
                             ("linear2.", "feed_forward.down."), ("norm1.", "attention_norm."),
                             ("norm2.", "cross_norm."), ("norm3.", "feed_forward_norm.")]:
            name = name.replace(theirs, ours)
        prefix, joint, kind = name.partition("in_proj_")
        if joint:
            for part, piece in zip(("query", "key", "value"), tensor.chunk(3)):
                renamed[f"{prefix}{part}.{kind}"] = piece
        elif tensor.dim() == 4:  # of a convolution; one that takes patches apart is linear in mixtape
            tensor = channels_last(tensor)
            renamed[name] = tensor.flatten(1) if "projection" in name else tensor
        else:
            renamed[name] = tensor
    return renamed


def mixtape_gradients(module):
    return mixtape_names({name: parameter.grad for name, parameter in module.named_parameters()})
