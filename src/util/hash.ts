/**
 * SHA-256 of bytes, or of a text's UTF-8, as 64 lower-case hexadecimal digits.
 *
 * @example
 * ```ts
 * import { sha256 } from "./hash.ts";
 * if (!(await sha256("abc")).startsWith("ba7816bf")) throw new Error();
 * ```
 */
export async function sha256(data: Uint8Array | string): Promise<string> {
  const bytes = typeof data === "string" ? new TextEncoder().encode(data) : data;
  const digest = await crypto.subtle.digest("SHA-256", bytes as Uint8Array<ArrayBuffer>);
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
