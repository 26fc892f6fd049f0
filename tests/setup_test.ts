import { assert, assertEquals, assertStringIncludes } from "@std/assert";

const HELPERS = ["sh", "dirname", "sed", "id", "uname", "mkdir", "chmod", "cat", "grep"];

/** An npm that installs a deno of version 2.9.6 under `prefix`. */
function fakeNpm(prefix: string): string {
  return `#!/bin/sh
if [ "$1" = prefix ]; then echo ${prefix}; exit; fi
mkdir -p ${prefix}/bin
echo '#!/bin/sh' > ${prefix}/bin/deno
echo '[ "$1" = --version ] && echo "deno 2.9.6 (stable)"; [ "$1" != install ] || exit 3' >> ${prefix}/bin/deno
chmod +x ${prefix}/bin/deno
`;
}

/** Runs setup.sh with a PATH of a few tools, the given programs, and `more`, all in a folder of its own. */
async function runSetup(programs: (home: string) => Record<string, string>, more: (home: string) => string) {
  const home = await Deno.makeTempDir();
  try {
    await Deno.mkdir(`${home}/bin`);
    await Deno.mkdir(`${home}/prefix/lib`, { recursive: true });
    for (const name of HELPERS) {
      const path = ["/usr/bin", "/bin"].map((folder) => `${folder}/${name}`).find((one) => existsSync(one));
      await Deno.symlink(path!, `${home}/bin/${name}`);
    }
    for (const [name, text] of Object.entries(programs(home))) {
      await Deno.writeTextFile(`${home}/bin/${name}`, text, { mode: 0o755 });
    }
    const env = { PATH: `${home}/bin${more(home)}`, HOME: home, VK_DRIVER_FILES: `${home}/bin/sh` };
    const command = new Deno.Command("/bin/sh", { args: ["setup.sh"], env, clearEnv: true });
    const { code, stdout, stderr } = await command.output();
    const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes).replaceAll(home, "~");
    return { code, stdout: text(stdout), stderr: text(stderr) };
  } finally {
    await Deno.remove(home, { recursive: true });
  }
}

function existsSync(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}

Deno.test("setup.sh has nothing to do where all is there, and takes a second", async () => {
  const start = performance.now();
  const { code, stdout, stderr } = await new Deno.Command("sh", { args: ["setup.sh"] }).output();
  assertEquals([code, new TextDecoder().decode(stderr)], [0, ""]);
  assertEquals(new TextDecoder().decode(stdout), `setup: ready: Deno ${Deno.version.deno}\n`);
  assert(performance.now() - start < 5000);
});

Deno.test("setup.sh without Deno and npm says what to install", async () => {
  const { code, stderr } = await runSetup(() => ({}), () => "");
  assertEquals(code, 1);
  assertStringIncludes(stderr, "setup: install Node.js with npm (Debian: apt-get install npm) or Deno 2.9.6");
});

Deno.test("setup.sh says how to bring Deno into PATH", async () => {
  const { code, stderr } = await runSetup((home) => ({ npm: fakeNpm(`${home}/prefix`) }), () => "");
  assertEquals(code, 1);
  assertStringIncludes(
    stderr,
    "setup: Deno is now in ~/prefix/bin, which is not in PATH; run this and try again:\n",
  );
  assertStringIncludes(stderr, `setup:   export PATH="~/prefix/bin:$PATH"\n`);
});

Deno.test("setup.sh says which old Deno is in the way", async () => {
  const programs = (home: string) => ({
    npm: fakeNpm(`${home}/prefix`),
    deno: "#!/bin/sh\necho 'deno 1.46.3 (stable)'\n",
  });
  const { code, stderr } = await runSetup(programs, (home) => `:${home}/prefix/bin`);
  assertEquals(code, 1);
  assertStringIncludes(stderr, "setup: want Deno 2.9.6, but ~/bin/deno is 1.46.3 and comes first in PATH");
});

Deno.test("setup.sh says so when the packages cannot be fetched", async () => {
  const programs = (home: string) => ({ npm: fakeNpm(`${home}/prefix`) });
  const { code, stdout, stderr } = await runSetup(programs, (home) => `:${home}/prefix/bin`);
  assertEquals(code, 1);
  assertStringIncludes(stdout, "setup: installing Deno 2.9.6 from npm\n");
  assertStringIncludes(
    stderr,
    "setup: Deno could not fetch the npm packages that deno.lock lists; check the network",
  );
});
