/** The repository's source files and what they import. */

export interface Import {
  readonly from: string;
  /** Relative to the repository; null for a package. */
  readonly to: string | null;
  readonly specifier: string;
  readonly how: "value" | "type" | "dynamic";
}

const SKIPPED = new Set(["runs", "node_modules", ".git", "golden"]);

/** Paths under `folder` that end in one of `endings`, relative to the repository, sorted. */
export function sourceFiles(folders: readonly string[], endings: readonly string[]): string[] {
  const found: string[] = [];
  const walk = (folder: string) => {
    for (const entry of Deno.readDirSync(folder)) {
      const path = `${folder}/${entry.name}`;
      if (entry.isDirectory && !SKIPPED.has(entry.name)) walk(path);
      else if (entry.isFile && endings.some((ending) => path.endsWith(ending))) found.push(path);
    }
  };
  folders.forEach(walk);
  return found.sort();
}

/** The path that `specifier` means in the file `from`, relative to the repository; null for a package. */
export function resolveImport(from: string, specifier: string): string | null {
  if (!specifier.startsWith(".")) return null;
  return new URL(specifier, `file:///${from}`).pathname.slice(1);
}

const STATIC = /^(?:import|export)\s+(type\s)?([^"';]*?)\s*from\s+"([^"]+)"/gm;
const BARE = /^import\s+"([^"]+)"/gm;
const DYNAMIC = /\bimport\(\s*"([^"]+)"/g;

/** Every import of a file. `import { type A }` counts as a type import where all names are types. */
export function importsOf(from: string): Import[] {
  const text = Deno.readTextFileSync(from);
  const make = (specifier: string, how: Import["how"]) => ({
    from,
    to: resolveImport(from, specifier),
    specifier,
    how,
  });
  const names = (clause: string) =>
    clause.replace(/[{}]/g, "").split(",").map((name) => name.trim()).filter(Boolean);
  return [
    ...[...text.matchAll(STATIC)].map(([, type, clause, specifier]) =>
      make(specifier, type || names(clause).every((name) => name.startsWith("type ")) ? "type" : "value")
    ),
    ...[...text.matchAll(BARE)].map(([, specifier]) => make(specifier, "value")),
    ...[...text.matchAll(DYNAMIC)].map(([, specifier]) => make(specifier, "dynamic")),
  ];
}

/** Groups of files that import each other in a circle (strongly connected components of more than one file). */
export function importCycles(imports: readonly Import[]): string[][] {
  const edges = new Map<string, string[]>();
  for (const { from, to, how } of imports) {
    if (to !== null && how === "value") edges.set(from, [...edges.get(from) ?? [], to]);
  }
  const reach = (start: string): Set<string> => {
    const seen = new Set<string>();
    const queue = [...edges.get(start) ?? []];
    for (let file = queue.pop(); file !== undefined; file = queue.pop()) {
      if (!seen.has(file)) seen.add(file) && queue.push(...edges.get(file) ?? []);
    }
    return seen;
  };
  const reached = new Map([...edges.keys()].map((file) => [file, reach(file)]));
  const circular = [...reached].filter(([file, others]) => others.has(file)).map(([file]) => file);
  const groups = circular.map((file) =>
    circular.filter((other) => reached.get(file)!.has(other) && reached.get(other)!.has(file))
  );
  return [...new Map(groups.map((group) => [group.sort().join(" "), group])).values()];
}
