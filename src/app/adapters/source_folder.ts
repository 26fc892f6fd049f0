import type { SourceFile } from "../../engine/data/dataset.ts";
import { UserError } from "../../util/errors.ts";

/** A data set that is in no place and cannot be fetched; caught where the configuration names a substitute. */
export class DataUnavailable extends UserError {
  /** Why, without the cures. */
  readonly reasons: string;

  constructor(name: string, reasons: string[], cures: string[]) {
    const why = reasons.join("; ");
    super(`${name}: want its files, got none: ${why}. Cures: ${cures.join(", or ")}`);
    this.reasons = why;
  }
}

/** A folder to look in: `what` names it in messages, `dir` is undefined where the user did not set it. */
export interface Place {
  what: string;
  dir: string | undefined;
}

/** The first folder that has any of the wanted files, and a remark for each set place that had none before it. */
export interface FoundFolder {
  dir: string | null;
  missed: string[];
}

/** Looks for files called one of `names` in each place and in its subfolder `inner`. */
export async function findFolder(
  places: readonly Place[],
  inner: string,
  names: readonly string[],
): Promise<FoundFolder> {
  const missed: string[] = [];
  for (const { what, dir } of places) {
    if (dir === undefined) continue;
    for (const folder of [dir, `${dir}/${inner}`]) {
      for (const name of names) {
        if (await isFile(`${folder}/${name}`)) return { dir: folder, missed };
      }
    }
    missed.push(
      await exists(dir) ? `${what} (${dir}) has no ${names[0]}` : `${what} (${dir}) does not exist`,
    );
  }
  return { dir: null, missed };
}

/** Reads the files of a data set; `alternatives` lists, for each, the names it may have. */
export async function readSourceFiles(
  dir: string,
  alternatives: readonly (readonly string[])[],
): Promise<SourceFile[]> {
  const files: SourceFile[] = [];
  for (const names of alternatives) {
    const name = (await firstFile(dir, names)) ?? names[0], path = `${dir}/${name}`;
    try {
      files.push({ name: path, bytes: await Deno.readFile(path) });
    } catch (error) {
      const got = error instanceof Deno.errors.NotFound ? "no such file" : messageOf(error);
      throw new UserError(
        `${path}: want a readable file, got ${got}; the folder must hold the whole data set`,
      );
    }
  }
  return files;
}

/** First line of what was thrown. */
export function messageOf(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split("\n")[0];
}

async function firstFile(dir: string, names: readonly string[]): Promise<string | undefined> {
  for (const name of names) if (await isFile(`${dir}/${name}`)) return name;
}

async function isFile(path: string): Promise<boolean> {
  return await Deno.stat(path).then((info) => info.isFile, () => false);
}

async function exists(path: string): Promise<boolean> {
  return await Deno.stat(path).then(() => true, () => false);
}
