import type { Store } from "../urza/mod.ts";

/**
 * What trying kernels has cost in all, by the reports in a run's store: each kernel once, whichever process tried it, what was
 * refused included.
 */
export async function compilerFlops(store: Store): Promise<number> {
  const records = await store.records.list("kernel");
  return records.reduce((sum, { report }) => {
    const spent = (report as { readonly spentFlops?: unknown } | null)?.spentFlops;
    return sum + (typeof spent === "number" ? spent : 0);
  }, 0);
}
