/** Numbers as people read them. */

const SCALES: readonly [number, string][] = [[1e12, "T"], [1e9, "G"], [1e6, "M"], [1e3, "k"]];

/** `1234567` as `1.23M`; integers below 10,000 in full. */
export function formatCount(value: number): string {
  if (Math.abs(value) < 10_000) return Number.isInteger(value) ? String(value) : formatNumber(value);
  const [scale, suffix] = SCALES.find(([scale]) => Math.abs(value) >= scale) ?? [1, ""];
  return `${(value / scale).toPrecision(3)}${suffix}`;
}

/** `150e9` as `150 GFLOP`. */
export function formatFlops(value: number): string {
  const [scale, suffix] = SCALES.find(([scale]) => Math.abs(value) >= scale) ?? [1, ""];
  const scaled = value / scale;
  return `${scaled >= 100 || scaled === 0 ? scaled.toFixed(0) : scaled.toPrecision(3)} ${suffix}FLOP`;
}

/** Bytes in powers of 1024: `1.50 MiB`. */
export function formatBytes(value: number): string {
  const power = value < 1024 ? 0 : Math.min(3, Math.floor(Math.log2(value) / 10));
  const scaled = value / 1024 ** power;
  return `${power === 0 ? scaled : scaled.toPrecision(3)} ${["B", "KiB", "MiB", "GiB"][power]}`;
}

/** Three significant digits, without an exponent where that is readable. */
export function formatNumber(value: number): string {
  if (!Number.isFinite(value)) return String(value);
  const size = Math.abs(value);
  if (Number.isInteger(value) && size < 1e6) return String(value);
  return size !== 0 && (size < 1e-3 || size >= 1e6)
    ? value.toExponential(1)
    : String(Number(value.toPrecision(3)));
}

/** 0.5312 as `53.1%`. */
export function formatPercent(fraction: number): string {
  return `${(fraction * 100).toFixed(1)}%`;
}

/** Seconds as `42s`, `3m05s` or `1h02m`. */
export function formatDuration(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  const two = (value: number) => String(value).padStart(2, "0");
  if (whole < 60) return `${whole}s`;
  if (whole < 3600) return `${Math.floor(whole / 60)}m${two(whole % 60)}s`;
  return `${Math.floor(whole / 3600)}h${two(Math.floor(whole % 3600 / 60))}m`;
}
