const LOOP = /^[ \t]*\/\/ unroll\n[ \t]*for \(var (\w+) = 0u; \1 < (\w+); \1\+\+\) \{\n/gm;

/**
 * Writes out loops marked by a line `// unroll` whose limit is a literal or a constant of literal value. Native drivers
 * unroll such loops themselves, but not after wgpu has added a counter to each, and arrays become registers only where
 * every index is a literal.
 *
 * @throws {Error} if the limit is no known constant.
 */
export function unroll(name: string, code: string): string {
  const constants = new Map<string, number>();
  for (const [, constant, value] of code.matchAll(/^const (\w+): u32 = (\d+)u;/gm)) {
    constants.set(constant, Number(value));
  }
  /** Loops within a body are written out before the body is copied. */
  const expand = (text: string): string => {
    const loop = new RegExp(LOOP);
    let result = "", done = 0;
    for (let match = loop.exec(text); match; match = loop.exec(text)) {
      const [head, index, limit] = match;
      const count = /^\d+u$/.test(limit) ? parseInt(limit) : constants.get(limit);
      if (count === undefined) {
        throw new Error(`internal: kernel ${name} cannot unroll to ${limit}, which is no literal constant`);
      }
      const start = match.index + head.length;
      const end = closingBrace(text, start);
      const body = expand(text.slice(start, end));
      const pattern = new RegExp(`\\b${index}\\b`, "g");
      const copies = Array.from({ length: count }, (_, k) => `{\n${body.replace(pattern, `${k}u`)}}\n`);
      result += text.slice(done, match.index) + copies.join("");
      loop.lastIndex = done = end + 1;
    }
    return result + text.slice(done);
  };
  return expand(code);
}

/** Position of the brace that closes the block whose inside begins at `start`. */
function closingBrace(code: string, start: number): number {
  let depth = 1;
  for (let at = start; at < code.length; at++) {
    if (code[at] === "{") depth++;
    if (code[at] === "}" && --depth === 0) return at;
  }
  throw new Error("internal: a loop to unroll is not closed");
}
