import { broadcastStrides, type Shape, sizeOf, stridesOf } from "../../util/shape.ts";
import { type Dispatch, workgroupsFor } from "../gpu/kernel.ts";
import { formatFloat } from "../gpu/specialize.ts";
import type { Tensor } from "../graph/tensor.ts";
import { formulaOf, type Fusion } from "./fuse.ts";

const WORKGROUP = 64;

/** The WGSL kernel of a group of element-wise nodes. It reads `fusion.reads` in order and writes the last node. */
export function emitFusion(fusion: Fusion): Dispatch {
  const result = fusion.nodes.at(-1)!;
  const { shape } = result;
  const vector = (shape.at(-1) ?? 1) % 4 === 0 &&
    fusion.reads.every((t) => [1, undefined, shape.at(-1)].includes(t.shape.at(-1)));
  const width = vector ? 4 : 1;
  const count = sizeOf(shape) / width;
  const names = new Map<Tensor, string>();
  const declarations: string[] = [];
  const statements: string[] = [];
  for (const [k, tensor] of fusion.reads.entries()) {
    const wide = vector && tensor.shape.at(-1) === shape.at(-1) && shape.length > 0 && shape.at(-1) !== 1;
    declarations.push(binding(k, "read", `in${k}`, wide ? "vec4f" : "f32"));
    const load = `in${k}[${indexOf(tensor.shape, shape, width, wide ? 4 : 1)}]`;
    statements.push(`let v${k} = ${vector && !wide ? `T(${load})` : load};`);
    names.set(tensor, `v${k}`);
  }
  for (const [k, node] of fusion.nodes.entries()) {
    statements.push(`let n${k} = ${substitute(node, names)};`);
    names.set(node, `n${k}`);
  }
  const source = `alias T = ${vector ? "vec4f" : "f32"};
${declarations.join("\n")}
${binding(fusion.reads.length, "read_write", "result", "T")}
@compute @workgroup_size(${WORKGROUP})
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
        @builtin(local_invocation_index) lane: u32) {
  let i = (group.y * groups.x + group.x) * ${WORKGROUP}u + lane;
  if (i >= ${count}u) { return; }
  ${statements.join("\n  ")}
  result[i] = ${names.get(result)};
}
`;
  return {
    name: `fused/${
      fusion.nodes.filter((n) => n.inputs.length > 0).map((n) => n.op!.name).join("-") || "full"
    }`,
    source,
    constants: {},
    operands: [...fusion.reads.map((_, input) => ({ input })), "output"],
    workgroups: workgroupsFor(count, WORKGROUP),
  };
}

function binding(k: number, access: string, name: string, type: string): string {
  return `@group(0) @binding(${k}) var<storage, ${access}> ${name}: array<${type}>;`;
}

/** Replaces `$0` by the operand's variable and `$name` by the attribute's value. */
function substitute(node: Tensor, names: ReadonlyMap<Tensor, string>): string {
  return formulaOf(node.op)!.wgsl.replace(/\$(\w+)/g, (_, key: string) => {
    const position = Number(key);
    return Number.isNaN(position)
      ? formatFloat(node.attrs[key] as number)
      : names.get(node.inputs[position])!;
  });
}

/**
 * WGSL index of an operand for element `i` of the result, where `i` counts vectors of `width` and the operand's array has
 * elements of `unit` numbers. Runs of dimensions that the operand holds whole are read with one division.
 */
function indexOf(shape: Shape, target: Shape, width: number, unit: number): string {
  if (sizeOf(shape) === sizeOf(target)) return "i";
  if (sizeOf(shape) === 1) return "0u";
  const from = broadcastStrides(shape, target), to = stridesOf(target);
  const terms: string[] = [];
  for (let last = target.length - 1; last >= 0; last--) {
    if (from[last] === 0) continue;
    let first = last;
    while (first > 0 && from[first - 1] === from[first] * target[first] && from[first - 1] !== 0) first--;
    const extent = sizeOf(target.slice(first, last + 1));
    const scale = to[last] === 1 ? width : 1;
    const divisor = to[last] === 1 ? 1 : to[last] / width;
    const quotient = divisor === 1 ? "i" : `i / ${divisor}u`;
    const digit = first === 0 ? `(${quotient})` : `(${quotient}) % ${extent / scale}u`;
    const step = from[last] * scale / unit;
    terms.push(step === 1 ? digit : `(${digit}) * ${step}u`);
    last = first;
  }
  return terms.join(" + ");
}
