/** A file system of this many KiB; null, said aloud, where none may be mounted. */
export async function smallDisk(folder: string, kib: number): Promise<(() => Promise<void>) | null> {
  await Deno.mkdir(folder);
  const call = (program: string, args: string[]) =>
    new Deno.Command(program, { args, stderr: "null" }).output().then(({ success }) => success, () => false);
  if (await call("mount", ["-t", "tmpfs", "-o", `size=${kib}k`, "tmpfs", folder])) {
    return async () => void await call("umount", [folder]);
  }
  console.log("left out: no small disk may be mounted here (want root and its capabilities)");
  return null;
}
