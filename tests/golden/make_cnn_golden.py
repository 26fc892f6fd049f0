#!/usr/bin/env python3
"""Writes cnn.safetensors: ten training steps of a small network by PyTorch, which the engine must repeat.

    apt-get install --no-install-recommends python3-torch python3-numpy
    /usr/bin/python3 tests/golden/make_cnn_golden.py

The network, on images x [8, 8, 8, 3] (NHWC) of 5 classes: conv 3x3 without bias -> group norm -> ReLU -> max pool 2 ->
conv 3x3 with bias -> group norm -> ReLU -> global mean -> dense; mean cross-entropy with label smoothing 0.1.

All numbers are computed in float64 from inputs that float32 holds exactly, and rounded once when written. The same
steps in float32 tell how far rounding alone carries PyTorch away; the metadata holds these distances ("drift ..."), and
the test derives its tolerances from them.

Layouts of the file are the engine's: images NHWC, convolution weights [KH, KW, Cin, Cout], dense weights [In, Out].
"""
import json
import math
import pathlib
import struct

import numpy as np
import torch
from torch.nn import functional as F

BATCH, SIDE, CHANNELS, CLASSES, STEPS = 8, 8, 3, 5, 10
GROUPS, EPSILON, SMOOTHING = 4, 1e-5, 0.1
CLIP = 0.25

RULES = {
    "sgd": dict(kind="sgd", lr=0.1, momentum=0.9, nesterov=True, decay=5e-4, clip=None),
    "adamw": dict(kind="adamw", lr=1e-2, betas=(0.9, 0.999), eps=1e-8, decay=1e-2, clip=None),
    "clip": dict(kind="sgd", lr=0.1, momentum=0.9, nesterov=False, decay=5e-4, clip=CLIP),
}

# name -> (shape in the engine's layout, mean, standard deviation); only weights decay.
PARAMETERS = {
    "conv1/weight": ((3, 3, CHANNELS, 8), 0.0, math.sqrt(2 / (9 * CHANNELS))),
    "norm1/scale": ((8,), 1.0, 0.2),
    "norm1/shift": ((8,), 0.0, 0.2),
    "conv2/weight": ((3, 3, 8, 12), 0.0, math.sqrt(2 / (9 * 8))),
    "conv2/bias": ((12,), 0.0, 0.2),
    "norm2/scale": ((12,), 1.0, 0.2),
    "norm2/shift": ((12,), 0.0, 0.2),
    "head/weight": ((12, CLASSES), 0.0, math.sqrt(1 / 12)),
    "head/bias": ((CLASSES,), 0.0, 0.2),
}


class XorShift:
    """xorshift32 (Marsaglia 2003): the same inputs whatever the version of PyTorch or NumPy."""

    def __init__(self, seed):
        self.state = seed

    def uniform(self):
        self.state ^= (self.state << 13) & 0xFFFFFFFF
        self.state ^= self.state >> 17
        self.state ^= (self.state << 5) & 0xFFFFFFFF
        return self.state / 2**32

    def normals(self, shape, mean=0.0, deviation=1.0):
        count = math.prod(shape)
        draws = [
            math.sqrt(-2 * math.log(self.uniform())) * math.cos(2 * math.pi * self.uniform()) for _ in range(count)
        ]
        return (mean + deviation * np.array(draws)).astype(np.float32).reshape(shape)


def to_torch(array):
    """Images and convolution weights to NCHW and OIHW; dense weights to [Out, In]."""
    order = {4: (3, 2, 0, 1), 2: (1, 0)}.get(array.ndim)
    return array if order is None else array.transpose(order)


def to_engine(array):
    order = {4: (2, 3, 1, 0), 2: (1, 0)}.get(array.ndim)
    return array if order is None else array.transpose(order)


def loss_of(p, x, labels):
    h = F.conv2d(x, p["conv1/weight"], padding=1)
    h = F.relu(F.group_norm(h, GROUPS, p["norm1/scale"], p["norm1/shift"], EPSILON))
    h = F.max_pool2d(h, 2)
    h = F.conv2d(h, p["conv2/weight"], p["conv2/bias"], padding=1)
    h = F.relu(F.group_norm(h, GROUPS, p["norm2/scale"], p["norm2/shift"], EPSILON))
    logits = F.linear(h.mean(dim=(2, 3)), p["head/weight"], p["head/bias"])
    return F.cross_entropy(logits, labels, label_smoothing=SMOOTHING)


def optimizer_of(rule, p):
    groups = [
        {"params": [t for name, t in p.items() if name.endswith("weight")], "weight_decay": rule["decay"]},
        {"params": [t for name, t in p.items() if not name.endswith("weight")], "weight_decay": 0.0},
    ]
    if rule["kind"] == "sgd":
        return torch.optim.SGD(groups, lr=rule["lr"], momentum=rule["momentum"], nesterov=rule["nesterov"])
    return torch.optim.AdamW(groups, lr=rule["lr"], betas=rule["betas"], eps=rule["eps"])


def train(rule, initial, x, labels, dtype):
    """Losses before each step, gradient norms before clipping, gradients of step one, final parameters."""
    p = {
        name: torch.from_numpy(to_torch(array).copy()).to(dtype).requires_grad_() for name, array in initial.items()
    }
    images = torch.from_numpy(x.transpose(0, 3, 1, 2).copy()).to(dtype)
    classes = torch.from_numpy(labels.astype(np.int64))
    optimizer = optimizer_of(rule, p)
    losses, norms, gradients = [], [], {}
    for step in range(STEPS):
        optimizer.zero_grad()
        loss = loss_of(p, images, classes)
        loss.backward()
        if step == 0:
            gradients = {name: to_engine(t.grad.numpy().astype(np.float64)) for name, t in p.items()}
        norms.append(math.sqrt(sum(float((t.grad.double() ** 2).sum()) for t in p.values())))
        if rule["clip"] is not None:
            torch.nn.utils.clip_grad_norm_(p.values(), rule["clip"])
        optimizer.step()
        losses.append(loss.item())
    final = {name: to_engine(t.detach().numpy().astype(np.float64)) for name, t in p.items()}
    return np.array(losses), np.array(norms), gradients, final


def distance(a, b):
    """Largest difference as a share of the largest magnitude."""
    return float(np.max(np.abs(a - b)) / np.max(np.abs(a)))


def save(path, tensors, metadata):
    header, data = {"__metadata__": metadata}, b""
    for name, array in tensors.items():
        kind = {"float32": "F32", "uint32": "U32"}[array.dtype.name]
        raw = np.ascontiguousarray(array).astype(array.dtype.newbyteorder("<")).tobytes()
        header[name] = {"dtype": kind, "shape": list(array.shape), "data_offsets": [len(data), len(data) + len(raw)]}
        data += raw
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    path.write_bytes(struct.pack("<Q", len(text)) + text + data)


def main():
    random = XorShift(2463534242)
    x = random.normals((BATCH, SIDE, SIDE, CHANNELS))
    labels = np.array([math.floor(random.uniform() * CLASSES) for _ in range(BATCH)], dtype=np.uint32)
    initial = {name: random.normals(*how) for name, how in PARAMETERS.items()}

    tensors = {"x": x, "labels": labels, **{f"initial/{name}": array for name, array in initial.items()}}
    metadata = {"torch": torch.__version__, "script": "tests/golden/make_cnn_golden.py"}
    for label, rule in RULES.items():
        losses, norms, gradients, final = train(rule, initial, x, labels, torch.float64)
        losses32, norms32, gradients32, final32 = train(rule, initial, x, labels, torch.float32)
        if rule["clip"] is not None:
            assert norms.min() < rule["clip"] < norms.max(), f"want clipped and free steps, got {norms}"
        if label == "sgd":
            tensors.update({f"gradient/{name}": array for name, array in gradients.items()})
            metadata["drift gradient"] = repr(max(distance(gradients[n], gradients32[n]) for n in gradients))
        tensors.update({f"{label}/losses": losses, f"{label}/norms": norms})
        tensors.update({f"{label}/final/{name}": array for name, array in final.items()})
        metadata[f"drift {label}/losses"] = repr(distance(losses, losses32))
        metadata[f"drift {label}/norms"] = repr(distance(norms, norms32))
        metadata[f"drift {label}/final"] = repr(max(distance(final[n], final32[n]) for n in final))
    rounded = {name: a if a.dtype == np.uint32 else a.astype(np.float32) for name, a in tensors.items()}
    save(pathlib.Path(__file__).parent / "cnn.safetensors", rounded, metadata)
    for key, value in metadata.items():
        print(f"{key}: {value}")
    for label in RULES:
        print(label, rounded[f"{label}/losses"], rounded[f"{label}/norms"])


if __name__ == "__main__":
    main()
