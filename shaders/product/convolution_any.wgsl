// Operands of a convolution as in convolution.wgsl, for any number K of (tap, source channel): images of three channels.
override SOURCE_HEIGHT: u32 = 1u;
override SOURCE_WIDTH: u32 = 1u;
override SOURCE_CHANNELS: u32 = 1u;
override HEIGHT: u32 = 1u;
override WIDTH: u32 = 1u;
override KERNEL_WIDTH: u32 = 1u;
override STRIDE: u32 = 1u;
override PADDING: u32 = 0u;
override K: u32 = 4u;
const NO_ROW = 0xffffffffu;

@group(0) @binding(0) var<storage, read> source: array<f32>;
@group(0) @binding(1) var<storage, read> weights: array<vec4f>;

fn patchAt(pixel: u32, k: u32) -> f32 {
  let tap = k / SOURCE_CHANNELS;
  let y = pixel / WIDTH % HEIGHT * STRIDE + tap / KERNEL_WIDTH - PADDING;
  let x = pixel % WIDTH * STRIDE + tap % KERNEL_WIDTH - PADDING;
  if (pixel >= M || k >= K || y >= SOURCE_HEIGHT || x >= SOURCE_WIDTH) { return 0.0; }
  let row = (pixel / (WIDTH * HEIGHT) * SOURCE_HEIGHT + y) * SOURCE_WIDTH + x;
  return source[row * SOURCE_CHANNELS + k % SOURCE_CHANNELS];
}

fn patches(pixel: u32, k: u32) -> vec4f {
  return vec4f(
    patchAt(pixel, k),
    patchAt(pixel + 1u, k),
    patchAt(pixel + 2u, k),
    patchAt(pixel + 3u, k),
  );
}

fn leftBlock(batch: u32, line: u32, k: u32) -> mat4x4f {
  let pixel = line * 4u;
  return mat4x4f(
    patches(pixel, k * 4u),
    patches(pixel, k * 4u + 1u),
    patches(pixel, k * 4u + 2u),
    patches(pixel, k * 4u + 3u),
  );
}

fn filters(k: u32, line: u32) -> vec4f {
  if (k >= K || line >= N4) { return vec4f(); }
  return weights[k * N4 + line];
}

fn rightBlock(batch: u32, k: u32, line: u32) -> mat4x4f {
  return mat4x4f(
    filters(k * 4u, line),
    filters(k * 4u + 1u, line),
    filters(k * 4u + 2u, line),
    filters(k * 4u + 3u, line),
  );
}

fn resultRow(batch: u32, m: u32) -> u32 {
  return select(NO_ROW, m, m < M);
}
