/** `deno task demo` serves the page; `deno task demo:build [FOLDER]` writes it as static files. */
import { buildSite } from "./build.ts";
import { serveSite } from "./serve.ts";

const PORT = 8722;
/** Where the static files go by default; nothing in it is tracked. */
const FOLDER = "dist/demo";

/** Serves at the usual port, or at a free one where that is taken. */
async function serve(port = PORT): Promise<void> {
  const site = await buildSite();
  const tell = (url: string) => console.log(`${url}\nCtrl-C ends it.`);
  try {
    serveSite(site, port, tell);
  } catch (error) {
    if (!(error instanceof Deno.errors.AddrInUse)) throw error;
    serveSite(site, 0, tell);
  }
}

async function write(folder = FOLDER): Promise<void> {
  const site = await buildSite();
  Deno.mkdirSync(folder, { recursive: true });
  for (const [name, bytes] of Object.entries(site)) Deno.writeFileSync(`${folder}/${name}`, bytes);
  console.log(`${folder}: ${Object.keys(site).join(", ")}; any server of static files will do`);
}

if (import.meta.main) {
  const [first, second] = Deno.args;
  await (first === "--build" ? write(second) : serve(first === undefined ? PORT : Number(first)));
}
