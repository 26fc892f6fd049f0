/** What `--profile-kernels` prints. */
import type { KernelProfile, KernelReport, KernelRow } from "../app/kernel_profile.ts";
import { formatBytes, formatNumber, formatPercent } from "./format.ts";
import { renderTable } from "./table.ts";

const HEAD = ["kernel", "count", "time µs", "share", "GFLOP/s", "GB/s", "of peak"];

const micros = (seconds: number) => formatNumber(seconds * 1e6);
const rate = (amount: number, seconds: number) => amount === 0 ? "-" : formatNumber(amount / seconds / 1e9);

function rowOf({ name, count, seconds, share, flops, bytes, ofPeak }: KernelRow): string[] {
  return [
    name,
    String(count),
    micros(seconds),
    formatPercent(share),
    rate(flops, seconds),
    rate(bytes, seconds),
    formatPercent(ofPeak),
  ];
}

function profileLines(profile: KernelProfile): string[] {
  const { step, seeds, kernels, dispatches, intermediateBytes } = profile;
  const { kernelSeconds, wallSeconds, encodeSeconds, submitSeconds } = profile;
  return [
    "",
    `kernels of a training step, after step ${step}: ${["host", ...seeds].join(", ")}`,
    "",
    ...renderTable(HEAD, kernels.map(rowOf)),
    "",
    `${dispatches.length} dispatches take ${micros(kernelSeconds)} µs one by one, a whole step ${
      micros(wallSeconds)
    } µs; the host encodes it in ${micros(encodeSeconds)} µs and submits it in ${
      micros(submitSeconds)
    } µs; what it computes on the way takes ${formatBytes(intermediateBytes)}`,
  ];
}

/** Lines of a report: a table a program, and the peak that it is compared with. */
export function kernelLines({ peak, peakBytes, profiles }: KernelReport): string[] {
  if (profiles.length === 0) return ["", "no step was taken: there is nothing to profile"];
  return [
    ...profiles.flatMap(profileLines),
    `peak of this adapter, as measured: ${formatNumber(peak.flops / 1e9)} GFLOP/s, ${
      formatNumber(peak.bytes / 1e9)
    } GB/s; most GPU memory held at one time: ${formatBytes(peakBytes)}`,
  ];
}
