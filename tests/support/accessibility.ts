/// <reference lib="dom" />
/** What keeps a page from people who do not see it well, or use no mouse: faults in words, none where it is right. */
import type { Page } from "playwright-core";

/** Roles that people act on, or that stand for a picture: each must have a name. */
const NAMED = new Set([
  ...[
    "button",
    "link",
    "textbox",
    "searchbox",
    "combobox",
    "listbox",
    "checkbox",
    "radio",
    "slider",
    "spinbutton",
  ],
  ...[
    "progressbar",
    "switch",
    "menuitem",
    "tab",
    "img",
    "image",
    "Canvas",
    "graphics-document",
    "meter",
    "log",
  ],
]);

/** Controls and pictures that screen readers are given no name of. */
export async function unnamed(page: Page): Promise<string[]> {
  const session = await page.context().newCDPSession(page);
  const { nodes } = await session.send("Accessibility.getFullAXTree");
  await session.detach();
  return nodes.filter(({ ignored, role, name }) => !ignored && NAMED.has(role?.value) && !name?.value.trim())
    .map(({ role, backendDOMNodeId }) => `${role!.value} without a name (node ${backendDOMNodeId})`);
}

/** Visible controls that the Tab key does not come to. Leaves the focus where it was, on nothing. */
export async function unreachable(page: Page): Promise<string[]> {
  const count = await page.evaluate(() => {
    const controls = [
      ...document.querySelectorAll<HTMLElement>(
        "a[href],button,select,input,textarea,summary,[tabindex='0']",
      ),
    ]
      .filter((one) => !(one as HTMLButtonElement).disabled && one.tabIndex >= 0 && one.checkVisibility())
      // Of radio buttons the Tab key comes to one; the others are a matter of arrows.
      .filter((one) => !(one instanceof HTMLInputElement && one.type === "radio" && !one.checked));
    controls.forEach((one) => one.dataset.unreached = "yes");
    (document.activeElement as HTMLElement)?.blur();
    return controls.length;
  });
  for (let k = 0; k < count + 3; k++) {
    await page.keyboard.press("Tab");
    await page.evaluate(() => delete (document.activeElement as HTMLElement | null)?.dataset.unreached);
  }
  return await page.evaluate(() => {
    (document.activeElement as HTMLElement)?.blur();
    return [...document.querySelectorAll<HTMLElement>("[data-unreached]")].map((one) => {
      delete one.dataset.unreached;
      return `not reached by Tab: ${one.outerHTML.slice(0, 80)}`;
    });
  });
}

/** Text with less contrast than WCAG 2.2 wants at level AA (1.4.3): 4.5 to 1, and 3 to 1 where it is large. */
export async function faint(page: Page): Promise<string[]> {
  return await page.evaluate(() => {
    type Rgba = [number, number, number, number];
    const context = document.createElement("canvas").getContext("2d", { willReadFrequently: true })!;
    /** Any CSS colour. */
    const parse = (color: string): Rgba => {
      context.clearRect(0, 0, 1, 1);
      context.fillStyle = color;
      context.fillRect(0, 0, 1, 1);
      const [r, g, b, a] = context.getImageData(0, 0, 1, 1).data;
      return [r, g, b, a / 255];
    };
    const over = (a: Rgba, b: Rgba): Rgba =>
      [0, 1, 2].map((k) => a[k] * a[3] + b[k] * (1 - a[3])).concat(1) as Rgba;
    const luminance = (color: Rgba) =>
      [0.2126, 0.7152, 0.0722].reduce((sum, weight, k) => {
        const c = color[k] / 255;
        return sum + weight * (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
      }, 0);
    const dark = matchMedia("(prefers-color-scheme: dark)").matches;
    const faults = new Set<string>();
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    for (let node = walker.nextNode(); node; node = walker.nextNode()) {
      const text = node.textContent!.trim(), owner = node.parentElement!;
      if (
        !text || owner.closest("script,style,option,:disabled,[aria-disabled]") || !owner.checkVisibility()
      ) continue;
      owner.scrollIntoView({ block: "center", inline: "center" });
      const range = document.createRange();
      range.selectNodeContents(node);
      const box = range.getBoundingClientRect(), svg = owner instanceof SVGElement;
      const stack = document.elementsFromPoint(box.x + box.width / 2, box.y + box.height / 2);
      if (stack.length === 0 || box.width === 0) continue;
      const style = getComputedStyle(owner);
      // What is painted behind it, topmost first.
      const behind = stack.filter((one) => one !== owner || !svg).map((one) =>
        one instanceof SVGElement && one.tagName !== "svg"
          ? ["text", "tspan", "g"].includes(one.tagName) ? "transparent" : getComputedStyle(one).fill
          : getComputedStyle(one).backgroundColor
      );
      const ground = behind.filter((color) => color && color !== "none").reverse()
        .reduce<Rgba>(
          (under, color) => over(parse(color), under),
          dark ? [18, 18, 18, 1] : [255, 255, 255, 1],
        );
      const ink = over(parse(svg ? style.fill : style.color), ground);
      const [low, high] = [luminance(ink), luminance(ground)].sort((a, b) => a - b);
      const contrast = (high + 0.05) / (low + 0.05), size = parseFloat(style.fontSize);
      const large = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700);
      if (contrast < (large ? 3 : 4.5)) faults.add(`contrast ${contrast.toFixed(1)}: "${text.slice(0, 40)}"`);
    }
    scrollTo(0, 0);
    return [...faults];
  });
}
