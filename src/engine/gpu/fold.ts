const TOKEN = /\s*(?:(\d+)u|(\w+)|([-+*\/%(),]))/y;
const MAX = 0xffffffff;

/**
 * Computes what is constant in indices and parentheses: kernels that were written out consist of little else, and a
 * compiler takes half the time to read `sums[5u]` that it takes for `sums[(0u * QUADS + 1u) * 4u + 1u]`. Only u32 of literals
 * and of constants declared by such; anything else stays as it is.
 */
export function foldIndices(code: string): string {
  const known = new Map<string, number>();
  for (const [, name, text] of code.matchAll(/^const (\w+): u32 = ([^;]+);/gm)) {
    const value = valueOf(text, known);
    if (value !== null) known.set(name, value);
  }
  const literals = new Map<string, string | null>();
  const fold = (text: string): string | null => {
    let literal = literals.get(text);
    if (literal === undefined) {
      const value = valueOf(text, known);
      literals.set(text, literal = value === null ? null : `${value}u`);
    }
    return literal;
  };
  // What stands before a parenthesis tells a group from a call.
  const groups = (text: string): string => {
    const folded = text.replace(/(^|[^\w>\s])(\s*)\(([^()[\]]+)\)/g, (all, before, space, inner) => {
      const literal = fold(inner);
      return literal === null ? all : before + space + literal;
    });
    return folded === text ? text : groups(folded);
  };
  return code.replace(/\[([^[\]\n]+)\]/g, (_all, index: string) => {
    const text = groups(index);
    return `[${fold(text) ?? sums(text, fold)}]`;
  });
}

/** `base + (constant)` with the constant as one literal; an index that is no such sum as it is. */
function sums(text: string, fold: (text: string) => string | null): string {
  const at = text.indexOf(" + ");
  if (at === -1) return text;
  const literal = fold(text.slice(at + 3));
  return literal === null || !/^\w+$/.test(text.slice(0, at)) ? text : `${text.slice(0, at)} + ${literal}`;
}

/** Value of an expression of u32 literals and known constants; null for any other, and where u32 would wrap. */
function valueOf(text: string, known: ReadonlyMap<string, number>): number | null {
  const tokens: string[] = [];
  TOKEN.lastIndex = 0;
  for (let end = 0; text.slice(end).trim() !== ""; end = TOKEN.lastIndex) {
    const match = TOKEN.exec(text);
    if (!match) return null;
    const [, literal, name, sign] = match;
    const value = literal ?? (name === "min" || name === "max" ? name : known.get(name)) ?? sign;
    if (value === undefined) return null;
    tokens.push(String(value));
  }
  let at = 0, valid = tokens.length > 0;
  const fail = () => {
    valid = false;
    return 0;
  };
  const checked = (value: number) => value >= 0 && value <= MAX ? value : fail();
  const take = (token: string) => tokens[at] === token && ++at > 0;
  function atom(): number {
    const token = tokens[at++] ?? "";
    if (/^\d+$/.test(token)) return checked(Number(token));
    if (token === "(") {
      const value = sum();
      return take(")") ? value : fail();
    }
    if (token !== "min" && token !== "max" || !take("(")) return fail();
    const first = sum();
    if (!take(",")) return fail();
    const second = sum();
    return take(")") ? Math[token](first, second) : fail();
  }
  function product(): number {
    let value = atom();
    for (;;) {
      if (take("*")) value = checked(value * atom());
      else if (take("/")) value = Math.floor(value / (atom() || fail() || 1));
      else if (take("%")) value %= atom() || fail() || 1;
      else return value;
    }
  }
  function sum(): number {
    let value = product();
    for (;;) {
      if (take("+")) value = checked(value + product());
      else if (take("-")) value = checked(value - product());
      else return value;
    }
  }
  const value = sum();
  return valid && at === tokens.length ? value : null;
}
