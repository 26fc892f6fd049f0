#!/usr/bin/env python3
"""The steps of bench/step.ts in PyTorch: the same networks, batches and optimiser, in PyTorch's own ways to be fast.

  python3 bench/torch_steps.py [--model small,resnet16,resnet64] [--batch 64,512] [--modes fp32,graph,tf32,graph-tf32,amp]
    [--rounds 7] [--seconds 0.2] [--gemm] [--device cuda|cpu] [--quick] [--json FILE]

Modes: fp32 (eager, TF32 off), graph (the whole step in one CUDA graph, fp32), tf32 (eager), graph-tf32, amp (eager,
autocast to bfloat16, channels-last), graph-amp, compile (torch.compile, fp32), compile-tf32. Times are of the wall, over
many steps with one wait at their end; the table has the median over rounds and the range of four rounds in five.
--json writes a line a row, for `bench/step.ts --torch FILE`. --gemm times square matrix products, too.
"""
import argparse
import json
import time

import torch
import torch.nn.functional as F
from torch import nn

CLASSES = 10


class SmallCnn(nn.Module):
    """3→32→32→pool→64→pool→10."""

    def __init__(self, width=32):
        super().__init__()
        self.conv1 = nn.Conv2d(3, width, 3, padding=1)
        self.conv2 = nn.Conv2d(width, width, 3, padding=1)
        self.conv3 = nn.Conv2d(width, 2 * width, 3, padding=1)
        self.head = nn.Linear(2 * width * 64, CLASSES)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.conv2(F.relu(self.conv1(x)))), 2)
        x = F.max_pool2d(F.relu(self.conv3(x)), 2)
        return self.head(x.flatten(1))


def layer(inner, out, kernel, stride):
    return nn.Sequential(
        nn.Conv2d(inner, out, kernel, stride, (kernel - 1) // 2, bias=False), nn.BatchNorm2d(out)
    )


class Block(nn.Module):
    def __init__(self, inner, out, stride):
        super().__init__()
        self.layer1 = layer(inner, out, 3, stride)
        self.layer2 = layer(out, out, 3, 1)
        self.shortcut = layer(inner, out, 1, stride) if stride != 1 or inner != out else nn.Identity()

    def forward(self, x):
        return F.relu(self.layer2(F.relu(self.layer1(x))) + self.shortcut(x))


class ResNet(nn.Module):
    def __init__(self, width, blocks=(2, 2, 2, 2)):
        super().__init__()
        self.stem = layer(3, width, 3, 1)
        parts, inner = [], width
        for stage, count in enumerate(blocks):
            for k in range(count):
                out = width * 2**stage
                parts.append(Block(inner, out, 2 if stage > 0 and k == 0 else 1))
                inner = out
        self.blocks = nn.Sequential(*parts)
        self.head = nn.Linear(inner, CLASSES)

    def forward(self, x):
        return self.head(self.blocks(F.relu(self.stem(x))).mean((2, 3)))


def model_named(name):
    return SmallCnn() if name == "small" else ResNet(int(name.removeprefix("resnet")))


def allow_tf32(allowed):
    torch.backends.cudnn.allow_tf32 = allowed
    torch.backends.cuda.matmul.allow_tf32 = allowed


def make_step(name, batch, mode, device):
    """A function that queues one training step and returns its loss as a tensor."""
    torch.manual_seed(0)
    allow_tf32("tf32" in mode)
    torch.backends.cudnn.benchmark = True
    amp = "amp" in mode
    layout = torch.channels_last if amp else torch.contiguous_format
    model = model_named(name).to(device).to(memory_format=layout)
    forward = torch.compile(model) if mode.startswith("compile") else model
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9)
    x = (torch.rand(batch, 3, 32, 32, device=device) * 2 - 1).to(memory_format=layout)
    y = (torch.arange(batch, device=device) * 7 + 3) % CLASSES

    def step():
        optimizer.zero_grad(set_to_none=True)
        with torch.autocast(device, torch.bfloat16, enabled=amp):
            loss = F.cross_entropy(forward(x), y)
        loss.backward()
        optimizer.step()
        return loss.detach()

    if not mode.startswith("graph"):
        return step
    stream = torch.cuda.Stream()
    stream.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(stream):
        for _ in range(5):
            step()
    torch.cuda.current_stream().wait_stream(stream)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        loss = step()

    def replay():
        graph.replay()
        return loss

    return replay


def spread(values):
    ordered = sorted(values)

    def quantile(q):
        at = q * (len(ordered) - 1)
        low = int(at)
        high = min(low + 1, len(ordered) - 1)
        return ordered[low] + (at - low) * (ordered[high] - ordered[low])

    return {"ms": quantile(0.5), "p10": quantile(0.1), "p90": quantile(0.9)}


def time_calls(call, device, rounds, seconds):
    """Milliseconds of one call, as bench/step.ts times it."""
    sync = torch.cuda.synchronize if device == "cuda" else (lambda: None)

    def run(calls):
        sync()
        start = time.perf_counter()
        for _ in range(calls):
            call()
        sync()
        return 1e3 * (time.perf_counter() - start) / calls

    def fit(ms):
        return max(1, min(2000, round(1e3 * seconds / ms)))

    run(3)
    calls = fit(run(min(10, fit(run(1)))))
    calls = fit(run(calls))
    return spread([run(calls) for _ in range(rounds)])


def print_table(head, rows):
    widths = [max(len(row[c]) for row in [head, *rows]) for c in range(len(head))]
    for row in [head, ["-" * width for width in widths], *rows]:
        print("  ".join(cell.rjust(width) if c else cell.ljust(width) for c, (cell, width) in enumerate(zip(row, widths))))


def time_products(device, rounds, seconds, sizes):
    rows = []
    for n in sizes:
        a, b = torch.randn(n, n, device=device), torch.randn(n, n, device=device)
        for mode in ("fp32", "tf32", "bf16"):
            allow_tf32(mode == "tf32")
            left, right = (a.bfloat16(), b.bfloat16()) if mode == "bf16" else (a, b)
            times = time_calls(lambda: left @ right, device, rounds, seconds)
            rows.append([f"{n}×{n}×{n}", mode, f"{1e3 * times['ms']:.1f}", f"{2 * n**3 / times['ms'] / 1e9:.3g}"])
    print_table(["product", "mode", "µs", "TFLOP/s"], rows)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="small,resnet16,resnet64")
    parser.add_argument("--batch", default="64,512")
    parser.add_argument("--modes", default=None)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--seconds", type=float, default=0.2)
    parser.add_argument("--gemm", action="store_true")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--json")
    args = parser.parse_args()
    if args.quick:
        args.model, args.batch, args.rounds, args.seconds = "small,resnet4", "2", 3, 0.01
    cuda = args.device == "cuda"
    modes = (args.modes or ("fp32,graph,tf32,graph-tf32,amp" if cuda else "fp32")).split(",")
    device = torch.cuda.get_device_name() if cuda else "cpu"
    print(f"PyTorch {torch.__version__}, {device}; milliseconds a training step")
    rows, lines = [], []
    for name in args.model.split(","):
        for batch in map(int, args.batch.split(",")):
            for mode in modes:
                try:
                    step = make_step(name, batch, mode, args.device)
                    times = time_calls(step, args.device, args.rounds, args.seconds)
                except Exception as error:  # one mode that does not work here must not end the others
                    print(f"{name}, batch {batch}, {mode}: {type(error).__name__}: {str(error)[:200]}")
                    continue
                finally:
                    step = None
                rows.append(
                    [name, str(batch), mode, f"{times['ms']:.4g}", f"{times['p10']:.4g}..{times['p90']:.4g}",
                     f"{1e3 * batch / times['ms']:.0f}"]
                )
                lines.append(
                    {"model": name, "batch": batch, "mode": mode, **times, "torch": torch.__version__, "device": device}
                )
    print_table(["model", "batch", "mode", "ms", "p10..p90", "images/s"], rows)
    if args.json:
        with open(args.json, "w", encoding="utf8") as file:
            file.writelines(json.dumps(line) + "\n" for line in lines)
    if args.gemm:
        time_products(args.device, args.rounds, args.seconds, (64,) if args.quick else (1024, 4096))


if __name__ == "__main__":
    main()
