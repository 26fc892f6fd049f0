#!/usr/bin/env python3
"""The recipe of airbench94 in PyTorch, on the pixels that configs/cifar10_speed.json is trained on.

    CIFAR10_DIR=... python3 bench/torch_cifar10_speed.py --seeds 3 --json torch_speed.json

Network and settings are those of Keller Jordan, "94% on CIFAR-10 in 3.29 Seconds on a Single GPU" (arXiv 2404.00498,
sections 3 and 4, and its list of hyperparameters); the program is our own. CIFAR10_DIR holds the binary batches. Halves
in channels-last order, norms in float32, as published; `--precision` tf32 or fp32 for the rest.

Seconds are those of training after a warm-up of one epoch, the whitening filters included, and of the test with six views;
reading files is in neither.
"""
import argparse
import json
import math
import os
import pathlib
import platform
import time

import torch
from torch import nn
from torch.nn import functional as F

BATCH, EPOCHS = 1024, 9.9
# Per 1024 examples, of losses that are summed; shifts of norms learn 64 times as fast, and decay as the others do.
RATE, MOMENTUM, DECAY, SHIFT_RATE = 11.5, 0.85, 0.0153, 64
SMOOTHING = 0.2
START, PEAK_AT, END = 0.2, 0.23, 0.07
WHITEN_EPOCHS, WHITEN_SAMPLE, WHITEN_EPSILON = 3, 5000, 5e-4
EVERY, KEEP = 5, 0.95**5
SHIFT = 2


def read(folder):
    """Pixels [N, 3, 32, 32] and labels of the training and of the test set."""
    def part(names):
        records = b"".join((pathlib.Path(folder) / name).read_bytes() for name in names)
        rows = torch.frombuffer(bytearray(records), dtype=torch.uint8).view(-1, 3073)
        return rows[:, 1:].reshape(-1, 3, 32, 32), rows[:, 0].long()
    return part([f"data_batch_{k}.bin" for k in range(1, 6)]), part(["test_batch.bin"])


class Block(nn.Module):
    def __init__(self, inputs, outputs):
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, padding="same", bias=False)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, padding="same", bias=False)
        # PyTorch's momentum is the share of the new batch.
        self.norm1 = nn.BatchNorm2d(outputs, eps=1e-12, momentum=0.4)
        self.norm2 = nn.BatchNorm2d(outputs, eps=1e-12, momentum=0.4)
        for conv in (self.conv1, self.conv2):
            nn.init.dirac_(conv.weight.data[: conv.weight.shape[1]])
        for norm in (self.norm1, self.norm2):
            norm.weight.requires_grad = False

    def forward(self, x):
        x = F.gelu(self.norm1(F.max_pool2d(self.conv1(x), 2)))
        return F.gelu(self.norm2(self.conv2(x)))


class Network(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.whiten = nn.Conv2d(3, 24, 2)
        self.whiten.weight.requires_grad = False
        nn.init.zeros_(self.whiten.bias)
        self.blocks = nn.Sequential(*(Block(*pair) for pair in zip((24, *channels), channels)))
        self.head = nn.Linear(channels[-1], 10, bias=False)

    def forward(self, x):
        x = self.blocks(F.gelu(self.whiten(x)))
        return self.head(x.amax((2, 3))) / 9


def whitening(images):
    """Filters from the eigenvectors of the second moments of 2x2 patches."""
    patches = images.float().unfold(2, 2, 1).unfold(3, 2, 1).permute(0, 2, 3, 1, 4, 5).reshape(-1, 12)
    values, vectors = torch.linalg.eigh(patches.T @ patches / len(patches))
    filters = (vectors / (values + WHITEN_EPSILON).sqrt()).T.flip(0).reshape(12, 3, 2, 2)
    return torch.cat([filters, -filters])


def flipped(images, which):
    return torch.where(which.view(-1, 1, 1, 1), images.flip(3), images)


def shifted(images):
    """Each image moved by up to SHIFT pixels, its edges reflecting."""
    n, _, size, _ = images.shape
    padded = F.pad(images, (SHIFT,) * 4, "reflect")
    offsets = torch.randint(0, 2 * SHIFT + 1, (2, n), device=images.device)
    along = torch.arange(size, device=images.device)
    rows, columns = offsets[0, :, None] + along, offsets[1, :, None] + along
    examples = torch.arange(n, device=images.device).view(-1, 1, 1)
    moved = padded.permute(0, 2, 3, 1)[examples, rows[:, :, None], columns[:, None, :]]
    return moved.permute(0, 3, 1, 2)


def epochs(images, labels):
    """Batches without end: each image is mirrored in every second epoch; what fills no batch is left out."""
    first = torch.rand(len(images), device=images.device) < 0.5
    epoch = 0
    while True:
        inputs = shifted(flipped(images, first if epoch % 2 == 0 else ~first))
        order = torch.randperm(len(images), device=images.device)
        for k in range(len(images) // BATCH):
            picked = order[k * BATCH : (k + 1) * BATCH]
            yield epoch, inputs[picked].contiguous(memory_format=torch.channels_last), labels[picked]
        epoch += 1


def rate_at(step, steps):
    peak = max(1, int(PEAK_AT * steps))
    if step <= peak:
        return START + (1 - START) * step / peak
    return 1 + (END - 1) * (step - peak) / max(1, steps - peak)


def train(images, labels, channels, length, half):
    net = Network(channels).to(images.device, memory_format=torch.channels_last)
    if half:
        net.half()
        for module in net.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.float()
    net.whiten.weight.data[:] = whitening(images[:WHITEN_SAMPLE])
    per_example = RATE / (1024 * (1 + 1 / (1 - MOMENTUM)))
    decay = DECAY * 1024 / (1024 * (1 + 1 / (1 - MOMENTUM)))
    shifts = [p for name, p in net.named_parameters() if "norm" in name and p.requires_grad]
    others = [p for name, p in net.named_parameters() if "norm" not in name and p.requires_grad]
    groups = [
        dict(params=shifts, lr=SHIFT_RATE * per_example, weight_decay=decay / (SHIFT_RATE * per_example)),
        dict(params=others, lr=per_example, weight_decay=decay / per_example),
    ]
    optimizer = torch.optim.SGD(groups, momentum=MOMENTUM, nesterov=True)
    steps = math.ceil(length * (len(images) // BATCH))
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: rate_at(step, steps))
    kept = [t for t in net.state_dict().values() if t.is_floating_point()]
    slow = [t.clone() for t in kept]
    losses = []
    net.train()
    for step, (epoch, inputs, targets) in enumerate(epochs(images, labels)):
        net.whiten.bias.requires_grad = epoch < WHITEN_EPOCHS
        loss = F.cross_entropy(net(inputs), targets, label_smoothing=SMOOTHING, reduction="none")
        optimizer.zero_grad(set_to_none=True)
        loss.sum().backward()
        optimizer.step()
        schedule.step()
        if step % 50 == 0:
            losses.append(loss.detach().mean())
        last = step + 1 == steps
        if last or (step + 1) % EVERY == 0:
            keep = 1.0 if last else KEEP * ((step + 1) / steps) ** 3
            for held, now in zip(slow, kept):
                held.lerp_(now, 1 - keep)
                now.copy_(held)
        if last:
            return net, steps, [float(value) for value in losses]


@torch.no_grad()
def test(net, images, labels):
    """Accuracy on the images as they are, and over six views."""
    net.eval()
    plain, viewed = 0, 0
    for k in range(0, len(images), 2000):
        x = images[k : k + 2000].contiguous(memory_format=torch.channels_last)
        padded = F.pad(x, (1,) * 4, "reflect")
        both = lambda x: (net(x) + net(x.flip(3))) / 2
        as_it_is = net(x)
        logits = (as_it_is + net(x.flip(3))) / 4 + (both(padded[:, :, :32, :32]) + both(padded[:, :, 2:, 2:])) / 4
        targets = labels[k : k + 2000]
        plain += int((as_it_is.argmax(1) == targets).sum())
        viewed += int((logits.argmax(1) == targets).sum())
    return plain / len(images), viewed / len(images)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--train", type=int, default=50_000, help="images trained on, from the first on")
    parser.add_argument("--channels", default="64,256,256", help="of each block")
    parser.add_argument("--precision", choices=["half", "tf32", "fp32"], default="half")
    parser.add_argument("--epochs", type=float, default=EPOCHS)
    parser.add_argument("--json")
    options = parser.parse_args()
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    channels = [int(width) for width in options.channels.split(",")]
    half = options.precision == "half" and device.type == "cuda"
    torch.backends.cudnn.benchmark = True
    torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = options.precision != "fp32"
    (pixels, labels), (test_pixels, test_labels) = read(os.environ["CIFAR10_DIR"])
    pixels, labels = pixels[: options.train].to(device), labels[: options.train].to(device)
    scaled = pixels.float() / 255
    mean, std = scaled.mean((0, 2, 3), keepdim=True), scaled.std((0, 2, 3), keepdim=True)
    number = torch.half if half else torch.float
    prepared = ((scaled - mean) / std).to(number)
    test_images = ((test_pixels.to(device).float() / 255 - mean) / std).to(number)
    test_labels = test_labels.to(device)
    wait = torch.cuda.synchronize if device.type == "cuda" else lambda: None

    name = torch.cuda.get_device_name() if device.type == "cuda" else platform.processor()
    print(f"PyTorch {torch.__version__}, {name}, {options.precision}, channels {options.channels}, {len(prepared)} images trained on", flush=True)
    torch.manual_seed(0)
    train(prepared, labels, channels, min(1, options.epochs), half)
    rows = []
    for seed in range(1, options.seeds + 1):
        torch.manual_seed(seed)
        wait()
        start = time.perf_counter()
        net, steps, losses = train(prepared, labels, channels, options.epochs, half)
        wait()
        trained = time.perf_counter()
        plain, viewed = test(net, test_images, test_labels)
        wait()
        tested = time.perf_counter()
        row = dict(seed=seed, steps=steps, accuracy=plain, accuracy_6_views=viewed,
                   train_seconds=trained - start, test_seconds=tested - trained, losses=losses)
        rows.append(row)
        print(f"seed {seed}: {steps} steps, {100 * plain:.2f} %, six views {100 * viewed:.2f} %, "
              f"{trained - start:.2f} s training, {tested - trained:.2f} s test; loss "
              + " ".join(f"{loss:.3f}" for loss in losses), flush=True)
    if options.json:
        pathlib.Path(options.json).write_text(json.dumps(dict(
            torch=torch.__version__, device=name, channels=channels, precision=options.precision, train=len(prepared), rows=rows)))


if __name__ == "__main__":
    main()
