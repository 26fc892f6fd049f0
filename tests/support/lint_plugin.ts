/// <reference lib="deno.unstable" />
/** Local lint rules: the import directions, and what only some files may call. */
import { importFault, layerOf, mayUseRuntime } from "./layers.ts";
import { resolveImport } from "./source_files.ts";

const ROOT = new URL("../../", import.meta.url).pathname;
const READBACK = "src/engine/gpu/readback.ts";

function pathOf(context: Deno.lint.RuleContext): string {
  return context.filename.startsWith(ROOT) ? context.filename.slice(ROOT.length) : context.filename;
}

type Declaration =
  | Deno.lint.ImportDeclaration
  | Deno.lint.ExportNamedDeclaration
  | Deno.lint.ExportAllDeclaration;

function isTypeOnly(node: Declaration): boolean {
  if (node.type === "ImportDeclaration") {
    const all = node.specifiers;
    return node.importKind === "type" ||
      all.length > 0 && all.every((one) => one.type === "ImportSpecifier" && one.importKind === "type");
  }
  return node.exportKind === "type";
}

const imports: Deno.lint.Rule = {
  create(context) {
    const path = pathOf(context);
    const check = (node: Deno.lint.Node, specifier: string, how: "value" | "type" | "dynamic") => {
      if (specifier.startsWith("node:") && !mayUseRuntime(path)) {
        context.report({
          node,
          message: `${specifier} in ${path}: only adapters, cli, report, tests may use it`,
        });
      }
      const target = resolveImport(path, specifier);
      const fault = target === null ? null : importFault(path, target, how);
      if (fault !== null) context.report({ node, message: fault });
    };
    const declaration = (node: Declaration) => {
      if (node.source) check(node, node.source.value as string, isTypeOnly(node) ? "type" : "value");
    };
    return {
      ImportDeclaration: declaration,
      ExportNamedDeclaration: declaration,
      ExportAllDeclaration: declaration,
      ImportExpression(node) {
        if (node.source.type === "Literal") check(node, String(node.source.value), "dynamic");
      },
    };
  },
};

const runtime: Deno.lint.Rule = {
  create(context) {
    const path = pathOf(context);
    if (mayUseRuntime(path)) return {};
    return {
      MemberExpression(node) {
        if (node.object.type !== "Identifier" || node.object.name !== "Deno") return;
        context.report({ node, message: `Deno in ${path}: only adapters, cli, report and tests may use it` });
      },
    };
  },
};

const readback: Deno.lint.Rule = {
  create(context) {
    const path = pathOf(context);
    if (layerOf(path) === null || path === READBACK) return {};
    return {
      MemberExpression(node) {
        const name = node.property.type === "Identifier" ? node.property.name : "";
        if (name !== "mapAsync" && name !== "onSubmittedWorkDone") return;
        context.report({ node, message: `${name} in ${path}: only ${READBACK} waits for the device` });
      },
    };
  },
};

const noDefaultExport: Deno.lint.Rule = {
  create(context) {
    if (layerOf(pathOf(context)) === null) return {};
    return {
      ExportDefaultDeclaration(node) {
        context.report({ node, message: "default export: want a named one" });
      },
    };
  },
};

/** What `deno lint` loads. */
const plugin: Deno.lint.Plugin = {
  name: "esper",
  rules: { imports, runtime, readback, "no-default-export": noDefaultExport },
};
export default plugin;
