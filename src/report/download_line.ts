import type { DownloadProgress } from "../app/options.ts";
import { formatBytes, formatPercent } from "./format.ts";

const WIDTH = 24;

/** `downloading cifar-10-binary.tar.gz [######------------------] 25.0% 40.5 MiB of 162 MiB`. */
export function downloadLine({ address, done, total }: DownloadProgress): string {
  const name = address.split("/").at(-1);
  if (total === null) return `downloading ${name} ${formatBytes(done)}`;
  const share = total === 0 ? 1 : Math.min(1, done / total), filled = Math.floor(share * WIDTH);
  const bar = "#".repeat(filled) + "-".repeat(WIDTH - filled);
  return `downloading ${name} [${bar}] ${formatPercent(share)} ${formatBytes(done)} of ${formatBytes(total)}`;
}
