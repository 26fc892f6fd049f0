import { versions } from "../../src/app/versions.ts";
import type { AdapterDescription } from "../../src/engine/gpu/device.ts";
import { renderTable } from "../../src/report/table.ts";
import type { CommonOptions } from "./options.ts";
import type { Spread } from "./statistics.ts";

/** One measured thing, as `--json` keeps it. */
export type Row = Readonly<Record<string, string | number | boolean | null>>;

/** What a program has measured: printed as it comes, and written to a file at the end. */
export interface Report {
  /** Prints a table and keeps its rows; cells are `columns` applied to a row. */
  table<R extends Row>(
    title: string,
    columns: Readonly<Record<string, (row: R) => string>>,
    rows: readonly R[],
  ): void;
  note(text: string): void;
  /** Writes the file that `--json` names. */
  finish(): void;
}

/** Where and when something was measured. */
export interface Setting {
  readonly command: string;
  readonly date: string;
  readonly machine: string;
  readonly adapter: AdapterDescription | null;
  readonly unsafe: boolean;
  readonly versions: Readonly<Record<string, string>>;
}

/** Model of the processor; empty where the system does not say. */
function processor(): string {
  try {
    return /^model name\s*:\s*(.*)$/m.exec(Deno.readTextFileSync("/proc/cpuinfo"))?.[1] ?? "";
  } catch {
    return "";
  }
}

function settingOf(adapter: AdapterDescription | null, unsafe: boolean): Setting {
  const program = Deno.mainModule.split("/").slice(-2).join("/");
  return {
    command: ["deno run -A", program, ...Deno.args].join(" "),
    date: new Date().toISOString().slice(0, 16).replace("T", " ") + " UTC",
    machine: [processor(), `${navigator.hardwareConcurrency} threads`, Deno.build.target].filter(Boolean)
      .join(", "),
    adapter,
    unsafe,
    versions: versions(),
  };
}

/** Prints where and how it is measured, and gives what takes the results. */
export function startReport(
  what: string,
  options: Pick<CommonOptions, "json" | "unsafe">,
  adapter: AdapterDescription | null,
): Report {
  const setting = settingOf(adapter, options.unsafe);
  const tables: { title: string; rows: readonly Row[] }[] = [];
  const { esper, deno } = setting.versions;
  console.log(`${what}\n  ${setting.command}`);
  if (adapter) {
    const name = adapter.description || adapter.device || adapter.vendor;
    console.log(`  ${name} through ${adapter.backend}${options.unsafe ? ", without bounds checks" : ""}`);
  }
  console.log(`  ${setting.machine}; Esper ${esper}, Deno ${deno}; ${setting.date}`);
  return {
    table(title, columns, rows) {
      tables.push({ title, rows });
      const cells = rows.map((row) => Object.values(columns).map((cell) => cell(row)));
      console.log(`\n${title}\n${renderTable(Object.keys(columns), cells).join("\n")}`);
    },
    note(text) {
      console.log(text);
    },
    finish() {
      if (options.json) {
        Deno.writeTextFileSync(options.json, JSON.stringify({ what, setting, tables }, null, 1) + "\n");
      }
    },
  };
}

/** Three significant digits, zeros kept so that columns compare. */
export function digits(value: number): string {
  if (!Number.isFinite(value)) return "-";
  const size = Math.abs(value);
  return size >= 100
    ? value.toFixed(0)
    : size < 0.01 && size > 0
    ? value.toPrecision(2)
    : value.toPrecision(3);
}

/** `0.92..1.10`, the range of four in five rounds. */
export function range({ p10, p90 }: Pick<Spread, "p10" | "p90">): string {
  return `${digits(p10)}..${digits(p90)}`;
}

/** `2.31x`; `-` without one of the two. */
export function ratio(of: number | null | undefined, to: number | null | undefined): string {
  return of && to ? `${(of / to).toFixed(2)}x` : "-";
}

/** Column of FLOPs a second, in the unit that suits the device. */
export function speedColumn(
  { software }: AdapterDescription,
): Record<string, (row: { flops: number; ms: number }) => string> {
  const [title, unit] = software ? ["GFLOP/s", 1e6] as const : ["TFLOP/s", 1e9] as const;
  return { [title]: ({ flops, ms }) => digits(flops / ms / unit) };
}
