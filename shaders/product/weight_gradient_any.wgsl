// Operands of a convolution's weight gradient as in weight_gradient.wgsl, for any number M of (tap, source channel): images of
// three channels.
override SOURCE_HEIGHT: u32 = 1u;
override SOURCE_WIDTH: u32 = 1u;
override SOURCE_CHANNELS: u32 = 1u;
override HEIGHT: u32 = 1u;
override WIDTH: u32 = 1u;
override KERNEL_WIDTH: u32 = 1u;
override STRIDE: u32 = 1u;
override PADDING: u32 = 0u;
override PIXELS: u32 = 1u;
const NO_ROW = 0xffffffffu;

@group(0) @binding(0) var<storage, read> source: array<f32>;
@group(0) @binding(1) var<storage, read> dy: array<vec4f>;

fn patchAt(pixel: u32, m: u32) -> f32 {
  let tap = m / SOURCE_CHANNELS;
  let y = pixel / WIDTH % HEIGHT * STRIDE + tap / KERNEL_WIDTH - PADDING;
  let x = pixel % WIDTH * STRIDE + tap % KERNEL_WIDTH - PADDING;
  if (pixel >= PIXELS || m >= M || y >= SOURCE_HEIGHT || x >= SOURCE_WIDTH) { return 0.0; }
  let row = (pixel / (WIDTH * HEIGHT) * SOURCE_HEIGHT + y) * SOURCE_WIDTH + x;
  return source[row * SOURCE_CHANNELS + m % SOURCE_CHANNELS];
}

fn patches(pixel: u32, m: u32) -> vec4f {
  return vec4f(
    patchAt(pixel, m),
    patchAt(pixel, m + 1u),
    patchAt(pixel, m + 2u),
    patchAt(pixel, m + 3u),
  );
}

// Four pixels (columns) for four rows.
fn leftBlock(batch: u32, line: u32, k: u32) -> mat4x4f {
  let m = line * 4u;
  return mat4x4f(
    patches(k * 4u, m),
    patches(k * 4u + 1u, m),
    patches(k * 4u + 2u, m),
    patches(k * 4u + 3u, m),
  );
}

fn cotangent4(pixel: u32, line: u32) -> vec4f {
  if (pixel >= PIXELS || line >= N4) { return vec4f(); }
  return dy[pixel * N4 + line];
}

// Four pixels (columns) for four channels of dy.
fn rightBlock(batch: u32, k: u32, line: u32) -> mat4x4f {
  let pixel = k * 4u;
  return mat4x4f(
    cotangent4(pixel, line),
    cotangent4(pixel + 1u, line),
    cotangent4(pixel + 2u, line),
    cotangent4(pixel + 3u, line),
  );
}

fn resultRow(batch: u32, m: u32) -> u32 {
  return select(NO_ROW, m, m < M);
}
