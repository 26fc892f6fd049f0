/** Files and folders that are there, whole, once a call has returned: whatever happens to the process or the power. */

/** Makes what was made, renamed and removed in a folder survive a power cut. */
export function syncFolder(path: string): void {
  // Windows cannot open folders, and does not need it.
  if (Deno.build.os === "windows") return;
  const file = Deno.openSync(path);
  try {
    file.syncSync();
  } finally {
    file.close();
  }
}

/** Makes a folder and those above it that are missing. False where it was there. Errors are Deno's own. */
export function makeFolder(path: string): boolean {
  try {
    Deno.mkdirSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.AlreadyExists && Deno.statSync(path).isDirectory) return false;
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    makeFolder(aboveOf(path));
    Deno.mkdirSync(path);
  }
  syncFolder(aboveOf(path));
  return true;
}

/** Writes a file, or replaces it: readers see all of the old or all of the new. Errors are Deno's own. */
export function writeWhole(path: string, content: string | Uint8Array): void {
  const bytes = typeof content === "string" ? new TextEncoder().encode(content) : content;
  const temporary = `${path}.tmp`;
  const file = Deno.openSync(temporary, { write: true, create: true, truncate: true });
  try {
    for (let done = 0; done < bytes.length;) done += file.writeSync(bytes.subarray(done));
    file.syncSync();
  } finally {
    file.close();
  }
  Deno.renameSync(temporary, path);
  syncFolder(aboveOf(path));
}

/** The folder that a path lies in. */
export function aboveOf(path: string): string {
  const bare = path.replace(/\/+$/, "");
  const at = bare.lastIndexOf("/");
  return at === -1 ? "." : at === 0 ? "/" : bare.slice(0, at);
}
