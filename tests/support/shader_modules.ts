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

/**
 * All WGSL that a device of these features can compile: the files of shaders/, and each core of products with each file of
 * operands, which are valid only together.
 */
export function shaderModules(features: ReadonlySet<string>): ShaderModule[] {
  const files = sourceFiles(["shaders"], [".wgsl"]).map((name) => ({
    name,
    code: Deno.readTextFileSync(name),
  }));
  const givesOperands = ({ code }: ShaderModule) => /^fn leftBlock\(/m.test(code);
  const takesOperands = (file: ShaderModule) => !givesOperands(file) && file.code.includes("leftBlock(");
  const products = files.filter(takesOperands).flatMap((core) =>
    files.filter(givesOperands).map((operands) => {
      const name = `${core.name} + ${operands.name}`;
      return { name, code: specialize(name, core.code + operands.code, {}) };
    })
  );
  const whole = files.filter((file) => !givesOperands(file) && !takesOperands(file));
  return [...whole, ...products].filter(({ code }) =>
    [...code.matchAll(/^enable (\w+);/gm)].every(([, extension]) => features.has(FEATURES[extension]))
  );
}
