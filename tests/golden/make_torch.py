"""Makes torch/*.safetensors: what PyTorch computes for the ops, layers and optimizers of mixtape.

    pip install torch numpy safetensors && python make_torch.py

Everything is computed in float64 on the CPU and stored as F64, indices as I32. Numbers that go in are exact in
float32, so that a test in f32 starts from the same ones. The metadata of each file name the PyTorch version.

A case is called after the op or layer, with a variant after a dot: `matmul.transpose_b`. Its tensors are

    <case>/in/<name>              what goes in
    <case>/parameter/<name>       the weights, under mixtape's names
    <case>/out/<i>                the results
    <case>/seed/<i>               their weights in the loss, sum over i of sum(out_i * seed_i)
    <case>/grad/<name>            the gradients of that loss, of what goes in
    <case>/parameter_grad/<name>  and of the weights

Images are [B, H, W, C] in mixtape and weights of convolutions [O, height, width, C]; PyTorch has the channels second,
and what goes in and comes out is turned here. Sequences of different lengths go in packed, and are padded for PyTorch
here. PyTorch draws other masks, so dropout is compared where it lets everything through; every other layer is compared
without it.
"""

import torch
from torch_cases import image_models, layers, ops, optimizers
from torch_cases.cases import Cases


def main():
    torch.set_num_threads(1)
    torch.set_default_dtype(torch.float64)
    files = {
        "ops": (ops.arithmetic, ops.functions, ops.reductions, ops.products, ops.shapes, ops.indexing,
                ops.softmax_and_loss, ops.attention, ops.images, ops.activations),
        "layers": (layers.small_layers, layers.multi_head_attention, layers.models, image_models.image_models,
                   layers.linear_attention),
        "optimizers": (optimizers.optimizers, optimizers.training_step),
    }
    for seed, (name, makers) in enumerate(files.items()):
        torch.manual_seed(20170612 + seed)
        cases = Cases()
        for maker in makers:
            maker(cases)
        cases.save(name)


if __name__ == "__main__":
    main()
