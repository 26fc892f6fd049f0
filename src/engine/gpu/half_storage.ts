/**
 * Kernels are written for f32. Where the compiler stores an operand as f16, this rewrites their text: the binding's type,
 * every load and every store. Arithmetic stays f32.
 */

/** How one element type is kept as halves. Kernels that only move bits see those of the f32. */
interface Element {
  readonly stored: string;
  readonly load: (stored: string) => string;
  readonly store: (value: string) => string;
}

const wrap = (...names: readonly string[]) => (text: string) => {
  return names.reduceRight((inner, name) => `${name}(${inner})`, text);
};

const ELEMENTS: Readonly<Record<string, Element>> = {
  f32: { stored: "f16", load: wrap("f32"), store: wrap("f16") },
  vec4f: { stored: "vec4<f16>", load: wrap("vec4f"), store: wrap("vec4<f16>") },
  u32: { stored: "f16", load: wrap("bitcast<u32>", "f32"), store: wrap("f16", "bitcast<f32>") },
  vec4u: {
    stored: "vec4<f16>",
    load: wrap("bitcast<vec4u>", "vec4f"),
    store: wrap("vec4<f16>", "bitcast<vec4f>"),
  },
};

const BINDING = /@binding\((\d+)\)\s*var<storage,\s*\w+>\s*(\w+)\s*:\s*array<([^;]*)>;/g;
const ASSIGNMENT = /^\s*(=(?!=)|(?:[-+*/%&|^]|<<|>>)=(?!=)|\+\+|--)/;
const COMPONENT = /^\s*(\.\w+|\[)/;

/**
 * WGSL (without its comments) in which the bindings of group 0 for which `halves` is true hold f16.
 *
 * @throws {Error} if it uses such a binding in a form that is not known: anything but `x[i]` and `x[i] = e;`.
 */
export function storeHalves(name: string, source: string, halves: readonly boolean[]): string {
  if (!halves.includes(true)) return source;
  const code = withoutComments(source);
  const refuse = (what: string): never => {
    throw new Error(`internal: kernel ${name} cannot hold halves: ${what}`);
  };
  const elements = new Map<string, Element>();
  const types = new Map<number, { end: number; stored: string }>();
  for (const match of code.matchAll(BINDING)) {
    const [text, binding, variable, type] = match;
    // A kernel may be written for halves to begin with, or for either kind, as raw bits.
    if (!halves[Number(binding)] || /\bf16\b|^(vec4h|Raw)$/.test(type)) continue;
    const element = ELEMENTS[code.match(new RegExp(`\\balias ${type} = (\\w+);`))?.[1] ?? type];
    if (!element) refuse(`${variable} is an array of ${type}`);
    elements.set(variable, element);
    const end = match.index + text.length - ">;".length;
    types.set(end - type.length, { end, stored: element.stored });
  }
  if (elements.size === 0) return source;
  const hidden = new Map([...elements.keys()].map((variable) => [variable, shadowsOf(code, variable)]));
  const pattern = new RegExp(`\\b(?:${[...elements.keys()].join("|")})\\b`, "g");

  function rewrite(from: number, to: number): string {
    let text = "", done = from;
    const put = (end: number, replacement: string, next: number) => {
      text += code.slice(done, end) + replacement;
      done = next;
    };
    for (const { 0: variable, index } of code.slice(from, to).matchAll(pattern)) {
      const at = from + index, after = at + variable.length;
      const hides = hidden.get(variable)!.some(([first, last]) => at >= first && at < last);
      const before = code.slice(Math.max(0, at - 40), at);
      // A component, a declaration, or another variable of that name.
      if (
        at < done || hides || /(\.|\b(let|var|const|>))\s*$/.test(before) || /^\s*:/.test(code.slice(after))
      ) continue;
      const { load, store } = elements.get(variable)!;
      if (/[^&\w\])\s]\s*&\s*$/.test(before)) refuse(`a pointer to ${variable} is taken`);
      if (code[after] !== "[") refuse(`${variable} is used without an index`);
      const close = closing(code, after);
      const place = `${variable}[${rewrite(after + 1, close)}]`;
      const rest = code.slice(close + 1, to);
      const component = COMPONENT.test(rest) ? rest.slice(componentEnd(rest)) : null;
      if (component !== null && ASSIGNMENT.test(component)) refuse(`a component of ${variable} is assigned`);
      const operator = ASSIGNMENT.exec(rest);
      if (!operator) {
        put(at, load(place), close + 1);
        continue;
      }
      if (operator[1] !== "=") refuse(`${variable} is assigned by ${operator[1]}`);
      const value = close + 1 + operator[0].length;
      const end = code.indexOf(";", value);
      put(at, `${place} = ${store(rewrite(value, end).trim())}`, end);
    }
    return text + code.slice(done, to);
  }

  // Types are replaced last to first, so that places in the text stay where they were found.
  let result = "";
  let done = 0;
  for (const [start, { end, stored }] of types) {
    result += rewrite(done, start) + stored;
    done = end;
  }
  return `enable f16; ${result}${rewrite(done, code.length)}`;
}

/** The text with spaces for comments, line by line as it was. */
function withoutComments(source: string): string {
  return source.replace(/\/\/[^\n]*|\/\*[^]*?\*\//g, (comment) => comment.replace(/[^\n]/g, " "));
}

/** Position of the bracket or brace that closes the one at `open`. */
function closing(code: string, open: number): number {
  let depth = 0;
  for (let at = open; at < code.length; at++) {
    if ("([{".includes(code[at])) depth++;
    if (")]}".includes(code[at]) && --depth === 0) return at;
  }
  throw new Error("internal: WGSL with a bracket that is not closed");
}

/** Length of the swizzles and indices at the start of `text`. */
function componentEnd(text: string): number {
  let end = 0;
  for (let next = COMPONENT.exec(text); next; next = COMPONENT.exec(text.slice(end))) {
    end += next[1] === "[" ? closing(text.slice(end), next[0].length - 1) + 1 : next[0].length;
  }
  return end;
}

/** Ranges of the text in which a local variable or a parameter goes by the name of a binding. */
function shadowsOf(code: string, variable: string): [number, number][] {
  const local = new RegExp(`\\b(?:let|var|const)\\s+${variable}\\b|[(,]\\s*${variable}\\s*:`, "g");
  return [...code.matchAll(local)].map(({ index, 0: text }) => {
    const parameter = /^[(,]/.test(text);
    const first = parameter ? index : code.indexOf(";", index);
    // Within a head in parentheses the name is known until the block after it ends, else until the present one does.
    let depth = 0;
    for (let at = parameter ? index + 1 : first; at < code.length; at++) {
      if (code[at] === "(") depth++;
      if (code[at] === ")" && --depth < 0) return [first, closing(code, code.indexOf("{", at))];
      if (code[at] === "{" && depth === 0) at = closing(code, at);
      else if (code[at] === "}" && depth === 0) return [first, at];
    }
    return [first, code.length];
  });
}
