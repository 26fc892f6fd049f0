import { assertEquals } from "@std/assert";
import {
  formatBytes,
  formatCount,
  formatDuration,
  formatFlops,
  formatNumber,
  formatPercent,
} from "../../src/report/format.ts";

const cases: [string, string, string][] = [
  ["formatCount", formatCount(1774), "1774"],
  ["formatCount", formatCount(1_234_567), "1.23M"],
  ["formatFlops", formatFlops(0), "0 FLOP"],
  ["formatFlops", formatFlops(150e9), "150 GFLOP"],
  ["formatFlops", formatFlops(20.6e6), "20.6 MFLOP"],
  ["formatBytes", formatBytes(512), "512 B"],
  ["formatBytes", formatBytes(3 * 2 ** 30), "3.00 GiB"],
  ["formatNumber", formatNumber(0.031234), "0.0312"],
  ["formatNumber", formatNumber(-2.5e-7), "-2.5e-7"],
  ["formatNumber", formatNumber(NaN), "NaN"],
  ["formatPercent", formatPercent(0.5312), "53.1%"],
  ["formatDuration", formatDuration(42.4), "42s"],
  ["formatDuration", formatDuration(185), "3m05s"],
  ["formatDuration", formatDuration(3720), "1h02m"],
];
for (const [name, got, want] of cases) Deno.test(`${name}() prints ${want}`, () => assertEquals(got, want));
