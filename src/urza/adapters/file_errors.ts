import { UserError } from "../../util/errors.ts";

const FULL = "free some space or choose another folder";
const FORBIDDEN = "change its permissions or choose another folder";

/** Causes and cures by the system's error code. */
const causes: Record<string, { got: string; cure: string }> = {
  ENOSPC: { got: "a full disk", cure: FULL },
  EDQUOT: { got: "a used-up disk quota", cure: FULL },
  EACCES: { got: "permission denied", cure: FORBIDDEN },
  EPERM: { got: "operation not permitted", cure: FORBIDDEN },
  EROFS: { got: "a read-only file system", cure: FORBIDDEN },
  ENOTDIR: { got: "a file where a folder should be", cure: "choose another folder" },
  EEXIST: { got: "a file where a folder should be", cure: "choose another folder" },
  ENOENT: { got: "no such folder", cure: "choose another folder" },
  EISDIR: { got: "a folder where a file should be", cure: "choose another folder" },
};

/** A failed file operation as one line with its cause and cure; what it has no words for is passed on as it came. */
export function explainFileError(operation: "read" | "write", path: string, error: unknown): unknown {
  if (error instanceof Deno.errors.NotCapable) {
    return new UserError(`urza: want to ${operation} ${path}, got no permission from Deno; run it with -A`, {
      cause: error,
    });
  }
  const code = (error as { code?: string } | null)?.code ?? "";
  const known = causes[code];
  if (known === undefined) return error;
  return new UserError(`urza: want to ${operation} ${path}, got ${known.got} (${code}); ${known.cure}`, {
    cause: error,
  });
}
