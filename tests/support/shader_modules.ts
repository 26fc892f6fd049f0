import { specialize } from "../../src/engine/gpu/specialize.ts";
import { sourceFiles } from "./source_files.ts";

/** A text that is compiled as it stands, and the files it is made of. */
interface ShaderModule {
  readonly name: string;
  readonly code: string;
}

/** What a device must have for an `enable` of a kernel. */
const FEATURES: Readonly<Record<string, string>> = {
  f16: "shader-f16",
  subgroups: "subgroups",
  chromium_experimental_subgroup_matrix: "chromium-experimental-subgroup-matrix",
};

/** Files that are valid only together: what cores of a family take, and how a file that gives it to them begins. */
const FAMILIES = [
  { takes: /\bleftBlock\(/, gives: /^fn leftBlock\(/m },
  { takes: /\bleftOctet\(/, gives: /^fn leftOctet\(/m },
  { takes: /\bSIDE\b/, gives: /^const SIDE: u32/m },
];

/**
 * All WGSL that a device of these features can compile: the files of shaders/, where each core of products is joined to each
 * file of operands, and each Winograd transform to each file of points.
 */
export function shaderModules(features: ReadonlySet<string>): ShaderModule[] {
  const files = sourceFiles(["shaders"], [".wgsl"]).map((name) => ({
    name,
    code: Deno.readTextFileSync(name),
  }));
  const joined = FAMILIES.flatMap(({ takes, gives }) => {
    const parts = files.filter(({ code }) => gives.test(code));
    const cores = files.filter(({ code }) => takes.test(code) && !gives.test(code));
    return cores.flatMap((core) =>
      parts.map((part) => {
        const name = `${core.name} + ${part.name}`;
        return { name, code: specialize(name, core.code + part.code, {}) };
      })
    );
  });
  const whole = files.filter(({ code }) => !FAMILIES.some(({ takes }) => takes.test(code)));
  return [...whole, ...joined].filter(({ code }) =>
    [...code.matchAll(/^enable (\w+);/gm)].every(([, extension]) => features.has(FEATURES[extension]))
  );
}
