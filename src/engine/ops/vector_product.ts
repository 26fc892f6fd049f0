/** Products of matrices in float64 by the vectors of the CPU, where WebAssembly reaches them. */
import type { Values } from "../graph/op.ts";

/** Numbers of one vector, of the columns that are computed at a time, and of the terms before the loop asks for its end. */
const LANES = 2, COLUMNS = 8, TERMS = 4;
const NUMBER_BYTES = 8;
/** Most numbers that it keeps memory for: 64 MiB. */
const MOST_NUMBERS = 2 ** 23;
const PAGE_BYTES = 65_536;

// WebAssembly (W3C core specification 2.0, section 5), as far as it is needed.
/** A number in groups of seven bits, the lowest first (LEB128). */
const uint = (n: number): number[] => n < 128 ? [n] : [(n & 127) | 128, ...uint(n >> 7)];
const get = (local: number) => [0x20, ...uint(local)];
const set = (local: number, ...value: number[][]) => [...value.flat(), 0x21, ...uint(local)];
/** Of 0 to 63. */
const constant = (n: number) => [0x41, n];
const add = (a: number[], b: number[]) => [...a, ...b, 0x6a];
const multiply = (a: number[], b: number[]) => [...a, ...b, 0x6c];
const divide = (a: number[], b: number[]) => [...a, ...b, 0x6d];
const less = (a: number[], b: number[]) => [...a, ...b, 0x48];
/** Runs its body, and again while the condition holds. */
const loopWhile = (condition: number[], ...body: number[][]) => [
  ...[0x03, 0x40],
  ...body.flat(),
  ...condition,
  ...[0x0d, 0, 0x0b],
];
const when = (condition: number[], ...body: number[][]) => [
  ...condition,
  ...[0x04, 0x40],
  ...body.flat(),
  0x0b,
];
const vector = (code: number, ...rest: number[]) => [0xfd, ...uint(code), ...rest];
const zeros = vector(12, ...new Array<number>(16).fill(0));
const load = (at: number[], offset: number) => [...at, ...vector(0, 3, ...uint(offset))];
const loadToAll = (at: number[], offset: number) => [...at, ...vector(10, 3, ...uint(offset))];
const store = (at: number[], value: number[], offset: number) => [
  ...at,
  ...value,
  ...vector(11, 3, ...uint(offset)),
];
const vectorAdd = (a: number[], b: number[]) => [...a, ...b, ...vector(0xf0)];
const vectorMultiply = (a: number[], b: number[]) => [...a, ...b, ...vector(0xf2)];

const I32 = 0x7f, V128 = 0x7b;
const range = (from: number, count: number) => Array.from({ length: count }, (_, k) => from + k);

/**
 * product(a, b, y, m, k, n): y = a · b at these addresses, two rows and eight columns at a time, every sum in the order of k.
 * The last of an odd number of rows is its own companion.
 */
function productCode(): number[] {
  const [a, b, y, m, k, n, row, column, upper, lower, right, result, companion, end, last] = range(0, 15);
  const sums = [range(15, 4), range(19, 4)], weights = range(23, 4), factor = 27;
  const vectorBytes = NUMBER_BYTES * LANES;
  const accumulate = (from: number, into: number[], term: number) => [
    ...set(factor, loadToAll(get(from), NUMBER_BYTES * term)),
    ...into.flatMap((sum, c) => set(sum, vectorAdd(get(sum), vectorMultiply(get(factor), get(weights[c]))))),
  ];
  /** So many terms of the sums, one after the other. */
  const terms = (count: number) => [
    ...range(0, count).flatMap((term) => [
      ...weights.flatMap((weight, c) => set(weight, load(get(right), vectorBytes * c))),
      ...accumulate(upper, sums[0], term),
      ...accumulate(lower, sums[1], term),
      ...set(right, add(get(right), get(n))),
    ]),
    ...set(upper, add(get(upper), constant(NUMBER_BYTES * count))),
    ...set(lower, add(get(lower), constant(NUMBER_BYTES * count))),
  ];
  return [
    // Columns as bytes, and as many of them as go into whole groups of terms.
    ...set(k, multiply(get(k), constant(NUMBER_BYTES))),
    ...set(n, multiply(get(n), constant(NUMBER_BYTES))),
    ...set(last, multiply(divide(get(k), constant(NUMBER_BYTES * TERMS)), constant(NUMBER_BYTES * TERMS))),
    ...loopWhile(
      less(get(row), get(m)),
      set(companion, less(add(get(row), constant(1)), get(m))),
      set(column, constant(0)),
      loopWhile(
        less(get(column), get(n)),
        sums.flat().flatMap((sum) => set(sum, zeros)),
        set(upper, add(get(a), multiply(get(row), get(k)))),
        set(lower, add(get(upper), multiply(get(companion), get(k)))),
        set(right, add(get(b), get(column))),
        set(end, add(get(upper), get(last))),
        when(less(get(upper), get(end)), loopWhile(less(get(upper), get(end)), terms(TERMS))),
        set(end, add(get(a), multiply(add(get(row), constant(1)), get(k)))),
        when(less(get(upper), get(end)), loopWhile(less(get(upper), get(end)), terms(1))),
        set(result, add(add(get(y), multiply(get(row), get(n))), get(column))),
        sums[0].flatMap((sum, c) => store(get(result), get(sum), vectorBytes * c)),
        set(result, add(get(result), multiply(get(companion), get(n)))),
        sums[1].flatMap((sum, c) => store(get(result), get(sum), vectorBytes * c)),
        set(column, add(get(column), multiply(constant(COLUMNS), constant(NUMBER_BYTES)))),
      ),
      set(row, add(get(row), constant(2))),
    ),
    0x0b,
  ];
}

/** A module that takes its memory from outside and has one function. */
function moduleBytes(): Uint8Array<ArrayBuffer> {
  const section = (id: number, content: readonly number[]) => [id, ...uint(content.length), ...content];
  const name = (letter: string) => [1, letter.charCodeAt(0)];
  const code = [...[2, 9, I32, 13, V128], ...productCode()];
  return Uint8Array.from([
    ...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(1, [1, 0x60, 6, I32, I32, I32, I32, I32, I32, 0]),
    ...section(2, [1, ...name("m"), ...name("m"), 2, 0, 1]),
    ...section(3, [1, 0]),
    ...section(7, [1, ...name("f"), 0, 0]),
    ...section(10, [1, ...uint(code.length), ...code]),
  ]);
}

type Product = (a: number, b: number, y: number, m: number, k: number, n: number) => void;

let code: WebAssembly.Module | undefined;
/** What computes in the memory that a buffer is of. */
const machines = new WeakMap<ArrayBufferLike, Product>();

/**
 * Memory that products of arrays within it need not be brought to and fetched from: of a plain kind where there is no
 * WebAssembly, or none with vectors, or the page forbids it.
 */
export function openVectorMemory(bytes: number): ArrayBuffer {
  try {
    const memory = new WebAssembly.Memory({ initial: Math.ceil(bytes / PAGE_BYTES) });
    code ??= new WebAssembly.Module(moduleBytes());
    const { exports } = new WebAssembly.Instance(code, { m: { m: memory } });
    const buffer = memory.buffer as ArrayBuffer;
    machines.set(buffer, exports.f as Product);
    return buffer;
  } catch {
    return new ArrayBuffer(bytes);
  }
}

/** Takes what lies elsewhere, and grows with it. */
let workbench = new ArrayBuffer(0);

/**
 * y = a · b for a [m, k] and b [k, n], the numbers of a plain loop to the last bit. False where it cannot: n must be a multiple
 * of 8.
 */
export function vectorProduct(a: Values, b: Values, y: Values, m: number, k: number, n: number): boolean {
  const numbers = m * k + k * n + m * n;
  if (n % COLUMNS !== 0 || numbers > MOST_NUMBERS) return false;
  const near = a.buffer === y.buffer && b.buffer === y.buffer && machines.get(y.buffer);
  if (near) {
    near(a.byteOffset, b.byteOffset, y.byteOffset, m, k, n);
    return true;
  }
  const missing = numbers * NUMBER_BYTES > workbench.byteLength;
  if (missing) workbench = openVectorMemory(Math.max(numbers * NUMBER_BYTES, 2 * workbench.byteLength));
  const product = machines.get(workbench);
  if (!product) return false;
  const heap = new Float64Array(workbench), result = m * k + k * n;
  heap.set(a);
  heap.set(b, m * k);
  product(0, NUMBER_BYTES * m * k, NUMBER_BYTES * result, m, k, n);
  y.set(heap.subarray(result, numbers));
  return true;
}
