/** A profile as a run shows and keeps it. */
import type { DispatchTime, Profile } from "../engine/gpu/profile.ts";
import { type Peak, shareOfPeak } from "../engine/tune/peak.ts";

/** All dispatches of one kernel in a step. */
export interface KernelRow {
  /** `family/file`. */
  readonly name: string;
  /** Dispatches in a step. */
  readonly count: number;
  /** Of a step, by the device's clock. */
  readonly seconds: number;
  /** Of the time of all kernels. */
  readonly share: number;
  /** Multiplications and additions of a step. */
  readonly flops: number;
  /** Read and written in a step. */
  readonly bytes: number;
  /** As `shareOfPeak`. */
  readonly ofPeak: number;
}

/** The training step of one program. */
export interface KernelProfile extends Profile {
  /** Steps that the run had taken. */
  readonly step: number;
  /** Seeds in the program, as `block2 conv3 (fossil)`. */
  readonly seeds: readonly string[];
  /** Of intermediates, which share memory as their lifetimes allow. */
  readonly intermediateBytes: number;
  /** Longest first. */
  readonly kernels: readonly KernelRow[];
}

/** What `--profile-kernels` found: the step of the first program and, where the network has changed, of the last. */
export interface KernelReport {
  /** What the device can do. */
  readonly peak: Peak;
  /** The most that the device held at one time, profiles included. */
  readonly peakBytes: number;
  /** One or two. */
  readonly profiles: readonly KernelProfile[];
}

/** Sums the dispatches by kernel, longest first. */
export function byKernel(dispatches: readonly DispatchTime[], peak: Peak): KernelRow[] {
  const total = dispatches.reduce((sum, { seconds }) => sum + seconds, 0);
  const rows = Map.groupBy(dispatches, ({ name }) => name);
  return [...rows].map(([name, group]) => {
    const sum = (key: "seconds" | "flops" | "bytes") => group.reduce((total, row) => total + row[key], 0);
    const work = { seconds: sum("seconds"), flops: sum("flops"), bytes: sum("bytes") };
    const share = total > 0 ? work.seconds / total : 0;
    return { name, count: group.length, ...work, share, ofPeak: shareOfPeak(work, peak) };
  }).sort((a, b) => b.seconds - a.seconds);
}

/** An event of Chrome's trace format; times are in microseconds. */
interface TraceEvent {
  readonly name: string;
  readonly ph: "X" | "M";
  readonly pid: number;
  readonly tid: number;
  readonly ts?: number;
  readonly dur?: number;
  readonly cat?: string;
  readonly args?: Readonly<Record<string, unknown>>;
}

const HOST = 1, DEVICE = 2;

/**
 * The profiles in Chrome's trace format (chrome://tracing, ui.perfetto.dev): a process a profile, with a track for the
 * host, which encodes and submits, and one for the kernels of one step. The clocks of host and device are not compared:
 * the first kernel is drawn where the submit ends, and gaps between kernels hold the timestamps.
 */
export function traceOf({ profiles }: KernelReport): { displayTimeUnit: "ns"; traceEvents: TraceEvent[] } {
  return {
    displayTimeUnit: "ns",
    traceEvents: profiles.flatMap((profile, k) => processOf(profile, k + 1)),
  };
}

function processOf(profile: KernelProfile, pid: number): TraceEvent[] {
  const { step, seeds, spans, dispatches, encodeSeconds, submitSeconds } = profile;
  const name = (what: string, tid: number, text: string): TraceEvent => ({
    name: what,
    ph: "M",
    pid,
    tid,
    args: { name: text },
  });
  const slice = (
    what: string,
    cat: string,
    tid: number,
    begin: number,
    end: number,
    args = {},
  ): TraceEvent => ({
    name: what,
    ph: "X",
    pid,
    tid,
    cat,
    ts: begin * 1e6,
    dur: (end - begin) * 1e6,
    args,
  });
  const submitted = encodeSeconds + submitSeconds;
  return [
    name("process_name", HOST, `training step at step ${step}: ${["host", ...seeds].join(", ")}`),
    name("thread_name", HOST, "host"),
    name("thread_name", DEVICE, "kernels"),
    slice("encode", "host", HOST, 0, encodeSeconds, { dispatches: dispatches.length }),
    slice("submit", "host", HOST, encodeSeconds, submitted),
    ...spans.map(({ begin, end }, k) => {
      const { name, what, flops, bytes, seconds } = dispatches[k];
      const args = { what, flops, bytes, medianMicroseconds: seconds * 1e6 };
      return slice(name, "kernel", DEVICE, submitted + begin, submitted + end, args);
    }),
  ];
}
