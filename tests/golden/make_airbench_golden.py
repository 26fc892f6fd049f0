#!/usr/bin/env python3
"""Writes airbench.safetensors: ten steps of the network and recipe of airbench94, narrow and on small images, by PyTorch.

    /usr/bin/python3 tests/golden/make_airbench_golden.py

As published (arXiv 2404.00498): losses are summed, the norms' shifts have a learning rate SHIFT_RATE times that of the
others and a weight decay so much smaller, the rate is a triangle, and slow weights meet the fast ones now and then. The
engine takes the mean of losses and one rate, see src/engine/nn/airbench.ts. The form of the file and what its metadata
says are those of make_cnn_golden.py.
"""
import math
import pathlib

import numpy as np
import torch
from torch.nn import functional as F

from make_cnn_golden import XorShift, distance, save, to_engine, to_torch

BATCH, SIDE, CLASSES, STEPS = 16, 12, 5, 10
CHANNELS = (6, 8)
PEAK, INITIAL, WARMUP, FINAL = 0.3, 0.2, 0.3, 0.1
MOMENTUM, DECAY, SHIFT_RATE, SMOOTHING = 0.85, 1e-2, 64, 0.2
EVERY, KEEP = 3, 0.8

PARAMETERS = {"whiten/bias": ((24,), 0.0, 0.2)}
for k, (inputs, outputs) in enumerate(zip((24, *CHANNELS), CHANNELS), 1):
    for layer, width in ((1, inputs), (2, outputs)):
        PARAMETERS[f"block{k}/conv{layer}/weight"] = ((3, 3, width, outputs), 0.0, math.sqrt(1 / (9 * width)))
        PARAMETERS[f"block{k}/norm{layer}/shift"] = ((outputs,), 0.0, 0.2)
PARAMETERS["head/weight"] = ((CHANNELS[-1], CLASSES), 0.0, 1.0)


def loss_of(p, filters, x, labels):
    gelu = lambda h: F.gelu(h, approximate="tanh")
    norm = lambda h, shift: F.batch_norm(h, None, None, None, shift, training=True, eps=1e-5)
    h = gelu(F.conv2d(x, filters, p["whiten/bias"]))
    for k in range(1, len(CHANNELS) + 1):
        at = f"block{k}"
        h = F.max_pool2d(F.conv2d(h, p[f"{at}/conv1/weight"], padding=1), 2)
        h = gelu(norm(h, p[f"{at}/norm1/shift"]))
        h = gelu(norm(F.conv2d(h, p[f"{at}/conv2/weight"], padding=1), p[f"{at}/norm2/shift"]))
    logits = F.linear(h.amax((2, 3)), p["head/weight"]) / 9
    return F.cross_entropy(logits, labels, label_smoothing=SMOOTHING, reduction="none")


def rate(progress):
    if progress < WARMUP:
        return INITIAL + (1 - INITIAL) * progress / WARMUP
    return FINAL + (1 - FINAL) * (1 - (progress - WARMUP) / (1 - WARMUP))


def train(initial, filters, x, labels, dtype):
    """Losses before each step, and final parameters."""
    tensor = lambda array: torch.from_numpy(to_torch(array).copy()).to(dtype)
    p = {name: tensor(array).requires_grad_() for name, array in initial.items()}
    images, weights = torch.from_numpy(x.transpose(0, 3, 1, 2).copy()).to(dtype), tensor(filters)
    classes = torch.from_numpy(labels.astype(np.int64))
    shifts = [t for name, t in p.items() if "norm" in name]
    others = [t for name, t in p.items() if "norm" not in name]
    # A sum of losses: BATCH times the gradient of their mean.
    lr, decay = PEAK / BATCH, DECAY * BATCH
    optimizer = torch.optim.SGD(
        [
            {"params": shifts, "lr": SHIFT_RATE * lr, "weight_decay": decay / SHIFT_RATE},
            {"params": others, "lr": lr, "weight_decay": decay},
        ],
        momentum=MOMENTUM,
        nesterov=True,
    )
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: rate(step / STEPS))
    slow = {name: t.detach().clone() for name, t in p.items()}
    losses = []
    for step in range(1, STEPS + 1):
        optimizer.zero_grad()
        loss = loss_of(p, weights, images, classes)
        loss.sum().backward()
        optimizer.step()
        schedule.step()
        losses.append(loss.mean().item())
        if step % EVERY == 0 or step == STEPS:
            with torch.no_grad():
                for name, t in p.items():
                    slow[name].lerp_(t, 1 - KEEP * (step / STEPS) ** 3)
                    t.copy_(slow[name])
    return np.array(losses), {name: to_engine(t.detach().numpy().astype(np.float64)) for name, t in p.items()}


def main():
    random = XorShift(88172645)
    x = random.normals((BATCH, SIDE, SIDE, 3))
    labels = np.array([math.floor(random.uniform() * CLASSES) for _ in range(BATCH)], dtype=np.uint32)
    filters = random.normals((2, 2, 3, 24), 0.0, 0.5)
    initial = {name: random.normals(*how) for name, how in PARAMETERS.items()}
    losses, final = train(initial, filters, x, labels, torch.float64)
    losses32, final32 = train(initial, filters, x, labels, torch.float32)
    tensors = {"x": x, "labels": labels, "whiten/weight": filters, "losses": losses.astype(np.float32)}
    tensors.update({f"initial/{name}": array for name, array in initial.items()})
    tensors.update({f"final/{name}": array.astype(np.float32) for name, array in final.items()})
    metadata = {
        "torch": torch.__version__,
        "script": "tests/golden/make_airbench_golden.py",
        "drift losses": repr(distance(losses, losses32)),
        "drift final": repr(max(distance(final[n], final32[n]) for n in final)),
    }
    save(pathlib.Path(__file__).parent / "airbench.safetensors", tensors, metadata)
    print(metadata, losses)


if __name__ == "__main__":
    main()
