import { foldIndices } from "./fold.ts";
import { unroll } from "./unroll.ts";

/** Access of one binding as the WGSL declares it. */
export type Access = "read" | "read_write";

/**
 * Replaces the defaults of `override` constants by `const`s, so that the compiler of the driver sees shapes as literals,
 * unrolls the loops that ask for it and computes the indices that come of it.
 *
 * @throws {Error} if a constant is given that the source does not declare.
 */
export function specialize(
  name: string,
  source: string,
  constants: Readonly<Record<string, number>>,
): string {
  const unused = new Set(Object.keys(constants));
  const code = source.replace(
    /^override\s+(\w+)\s*:\s*(\w+)\s*=\s*[^;]+;/gm,
    (line: string, constant: string, type: string) => {
      if (!unused.delete(constant)) return line.replace(/^override/, "const");
      return `const ${constant}: ${type} = ${literal(constants[constant], type)};`;
    },
  );
  if (unused.size > 0) {
    throw new Error(`internal: kernel ${name} declares no override constant ${[...unused].join(", ")}`);
  }
  const unrolled = unroll(name, code);
  return unrolled === code ? code : foldIndices(unrolled);
}

function literal(value: number, type: string): string {
  if (type === "bool") return value ? "true" : "false";
  if (type === "u32") return `${value}u`;
  if (type === "i32") return `${value}i`;
  return formatFloat(value);
}

/** A WGSL f32 literal that keeps the value's nearest float32. */
export function formatFloat(value: number): string {
  const rounded = Math.fround(value);
  if (!Number.isFinite(rounded)) throw new RangeError(`WGSL has no literal for ${value}`);
  return `${rounded}f`;
}

/** The access of each binding of group 0, by binding number. */
export function bindingAccess(source: string): Access[] {
  const result: Access[] = [];
  const pattern = /@group\(0\)\s*@binding\((\d+)\)\s*var<storage,\s*(read_write|read)>/g;
  for (const [, binding, access] of source.matchAll(pattern)) result[Number(binding)] = access as Access;
  return result;
}
