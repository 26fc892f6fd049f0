/** What leaves the page and comes into it: the network as a file, the address to share. */
import { html, say } from "./dom.ts";

/** Largest file that is taken for a network: far above any that this page makes. */
const MOST_BYTES = 2 ** 26;

interface FileHandlers {
  exportNetwork(): void;
  importNetwork(bytes: Uint8Array<ArrayBuffer>): void;
}

/** Buttons to save and open a network and to share the page. */
export function makeFiles(place: HTMLElement, { exportNetwork, importNetwork }: FileHandlers): void {
  const save = html("button", { type: "button", id: "export" }, "Save the network");
  const open = html("button", { type: "button" }, "Open a network");
  const share = html("button", { type: "button", id: "share" }, "Copy the address");
  const file = html("input", {
    type: "file",
    accept: ".safetensors",
    id: "import",
    hidden: true,
    "aria-label": "Network file",
  });
  const told = html("small", { role: "status" });
  place.replaceChildren(save, open, file, share, told);
  save.addEventListener("click", exportNetwork);
  open.addEventListener("click", () => file.click());
  file.addEventListener("change", async () => {
    const [chosen] = file.files ?? [];
    file.value = "";
    if (!chosen) return;
    if (chosen.size > MOST_BYTES) say(told, `${chosen.name} is too large for a network of this page`);
    else importNetwork(new Uint8Array(await chosen.arrayBuffer()));
  });
  share.addEventListener("click", async () => {
    await navigator.clipboard.writeText(location.href).then(
      () => say(told, "Copied: the address holds all settings."),
      () => say(told, "The address above holds all settings."),
    );
  });
}

/** Hands bytes to the visitor as a file. */
export function download(name: string, bytes: Uint8Array<ArrayBuffer>): void {
  const url = URL.createObjectURL(new Blob([bytes], { type: "application/octet-stream" }));
  html("a", { href: url, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}
