import {
  averagePoolGradientVariants,
  averagePoolVariants,
  maxPoolGradientVariants,
  maxPoolVariants,
  type PoolAttrs,
  type PoolGradientAttrs,
  poolSize,
} from "../../../kernels/pool.ts";
import { formatShape, type Shape, sizeOf } from "../../util/shape.ts";
import type { Call, TensorType } from "../gpu/kernel.ts";
import { apply, type Tensor } from "../graph/tensor.ts";
import { defineOp } from "./define.ts";
import { mean } from "./reduce.ts";

function pooledType(name: string, x: TensorType, attrs: PoolAttrs): TensorType {
  const { kernel, stride } = attrs;
  if (x.dtype !== "f32" || x.shape.length !== 4) {
    throw new TypeError(`${name}: want f32 images [N, H, W, C], got ${x.dtype} ${formatShape(x.shape)}`);
  }
  if (![kernel, stride].every((value) => Number.isInteger(value) && value >= 1)) {
    throw new RangeError(`${name}: want kernel and stride of at least 1, got ${kernel} and ${stride}`);
  }
  const [n, h, w, c] = x.shape;
  if (kernel > Math.min(h, w)) {
    throw new RangeError(
      `${name}: want a kernel of at most ${Math.min(h, w)} for images ${
        formatShape(x.shape)
      }, got ${kernel}; ` +
        `pool less often or use larger images`,
    );
  }
  return { shape: [n, poolSize(h, attrs), poolSize(w, attrs), c], dtype: "f32" };
}

/** Calls `visit` with each index into the result and the indices of its window, in raster order. */
function forEachWindow(image: Shape, attrs: PoolAttrs, visit: (at: number, window: number[]) => void): void {
  const [n, h, w, c] = image;
  const oh = poolSize(h, attrs), ow = poolSize(w, attrs);
  const { kernel, stride } = attrs;
  for (let at = 0; at < n * oh * ow * c; at++) {
    const channel = at % c, ox = Math.floor(at / c) % ow, oy = Math.floor(at / (c * ow)) % oh;
    const example = Math.floor(at / (c * ow * oh));
    const window: number[] = [];
    for (let y = oy * stride; y < oy * stride + kernel; y++) {
      for (let x = ox * stride; x < ox * stride + kernel; x++) {
        window.push(((example * h + y) * w + x) * c + channel);
      }
    }
    visit(at, window);
  }
}

const windowFlops = (call: Call<PoolAttrs>) => sizeOf(call.output.shape) * call.attrs.kernel ** 2;

const maxPool2dOp = defineOp<PoolAttrs>({
  name: "maxPool2d",
  storage: "inherited",
  type: ([x], attrs) => pooledType("maxPool2d", x, attrs),
  reference([x], { inputs, output, attrs }) {
    const y = new Float64Array(sizeOf(output.shape));
    forEachWindow(inputs[0].shape, attrs, (at, window) => y[at] = Math.max(...window.map((i) => x[i])));
    return y;
  },
  gradient: (dy, node) => [apply(maxPool2dGradientOp, [dy, node.inputs[0]], node.attrs as PoolAttrs)],
  lower: maxPoolVariants,
  flops: windowFlops,
});

/** dx from dy and x: of every window, the first maximum in raster order takes dy. */
const maxPool2dGradientOp = defineOp<PoolAttrs>({
  name: "maxPool2dGradient",
  storage: "inherited",
  type: ([, x]) => x,
  reference([dy, x], { inputs, attrs }) {
    const dx = new Float64Array(x.length);
    forEachWindow(inputs[1].shape, attrs, (at, window) => {
      dx[window.reduce((best, i) => x[i] > x[best] ? i : best)] += dy[at];
    });
    return dx;
  },
  lower: maxPoolGradientVariants,
  flops: (call) => sizeOf(call.inputs[0].shape) * call.attrs.kernel ** 2,
});

const averagePool2dOp = defineOp<PoolAttrs>({
  name: "averagePool2d",
  storage: "inherited",
  type: ([x], attrs) => pooledType("averagePool2d", x, attrs),
  reference([x], { inputs, output, attrs }) {
    const y = new Float64Array(sizeOf(output.shape));
    forEachWindow(inputs[0].shape, attrs, (at, window) => {
      for (const i of window) y[at] += x[i] / window.length;
    });
    return y;
  },
  gradient(dy, node) {
    const { kernel, stride } = node.attrs as PoolAttrs;
    const [, height, width] = node.inputs[0].shape;
    return [apply(averagePool2dGradientOp, [dy], { kernel, stride, height, width })];
  },
  lower: averagePoolVariants,
  flops: windowFlops,
});

/** dx from dy alone; `height` and `width` are those of x. */
const averagePool2dGradientOp = defineOp<PoolGradientAttrs>({
  name: "averagePool2dGradient",
  storage: "inherited",
  type: ([dy], { height, width }) => ({ shape: [dy.shape[0], height, width, dy.shape[3]], dtype: "f32" }),
  reference([dy], { output, attrs }) {
    const dx = new Float64Array(sizeOf(output.shape));
    forEachWindow(output.shape, attrs, (at, window) => {
      for (const i of window) dx[i] += dy[at] / window.length;
    });
    return dx;
  },
  gradient: (dy, { attrs: { kernel, stride } }) => [
    averagePool2d(dy, { kernel: kernel as number, stride: stride as number }),
  ],
  lower: averagePoolGradientVariants,
  flops: (call) => sizeOf(call.inputs[0].shape) * call.attrs.kernel ** 2,
});

export const poolOps = {
  maxPool2d: maxPool2dOp,
  maxPool2dGradient: maxPool2dGradientOp,
  averagePool2d: averagePool2dOp,
  averagePool2dGradient: averagePool2dGradientOp,
};

/**
 * Largest element of each kernel × kernel window of x [N, H, W, C], every `stride` pixels (default: the kernel), without
 * padding: rows and columns that fill no window are left out. The first maximum of a window takes its gradient.
 *
 * @throws {RangeError} if the kernel is larger than the image.
 */
export function maxPool2d(
  x: Tensor,
  { kernel, stride = kernel }: { kernel: number; stride?: number },
): Tensor {
  return apply(maxPool2dOp, [x], { kernel, stride });
}

/**
 * Mean of each kernel × kernel window of x [N, H, W, C], every `stride` pixels (default: the kernel), without padding.
 *
 * @throws {RangeError} if the kernel is larger than the image.
 */
export function averagePool2d(
  x: Tensor,
  { kernel, stride = kernel }: { kernel: number; stride?: number },
): Tensor {
  return apply(averagePool2dOp, [x], { kernel, stride });
}

/** Mean of each channel over the image: [N, H, W, C] → [N, C]. */
export function globalAveragePool(x: Tensor): Tensor {
  return mean(x, [1, 2]);
}
