/** Fields of a process after its name, as Linux gives them; null where there is none. */
function statOf(pid: number): string[] | null {
  try {
    const stat = Deno.readTextFileSync(`/proc/${pid}/stat`);
    return stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  } catch {
    return null;
  }
}

/** Processes that a process has started. */
export function childrenOf(parents: readonly number[]): number[] {
  const all = [...Deno.readDirSync("/proc")].map(({ name }) => Number(name)).filter(Number.isInteger);
  return all.filter((pid) => parents.includes(Number(statOf(pid)?.[1])));
}

/** Processes and all that these have started. */
export function processTree(roots: readonly number[]): number[] {
  const children = roots.length > 0 ? childrenOf(roots) : [];
  return children.length > 0 ? [...roots, ...processTree(children)] : [...roots];
}

/** Ticks of the clock that Linux counts processor time with, a second. */
const TICKS = 100;

/** Processor time of processes so far, in ms: their programs' and the system's for them. NaN where the system is not Linux. */
export function processorTime(pids: readonly number[]): number {
  if (Deno.build.os !== "linux") return NaN;
  const ticks = pids.map(statOf).map((stat) => stat ? Number(stat[11]) + Number(stat[12]) : 0);
  return ticks.reduce((sum, t) => sum + t, 0) * 1000 / TICKS;
}
