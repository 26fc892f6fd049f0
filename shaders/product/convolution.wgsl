// Operands of a convolution as a product: rows are the result's pixels, columns its channels, and k runs over (tap, source
// channel). All channel counts are in vec4s.
override SOURCE_HEIGHT: u32 = 1u;
override SOURCE_WIDTH: u32 = 1u;
override SOURCE_CHANNELS: u32 = 1u;
override HEIGHT: u32 = 1u;
override WIDTH: u32 = 1u;
override KERNEL_WIDTH: u32 = 1u;
override STRIDE: u32 = 1u;
override PADDING: u32 = 0u;
const NO_ROW = 0xffffffffu;

@group(0) @binding(0) var<storage, read> source: array<vec4f>;
@group(0) @binding(1) var<storage, read> weights: array<vec4f>;

// Four source channels from c on, as a pixel of the result sees them under a tap.
fn patch4(pixel: u32, ky: u32, kx: u32, c: u32) -> vec4f {
  let y = pixel / WIDTH % HEIGHT * STRIDE + ky - PADDING;
  let x = pixel % WIDTH * STRIDE + kx - PADDING;
  if ((!WHOLE_M && pixel >= M) || y >= SOURCE_HEIGHT || x >= SOURCE_WIDTH) { return vec4f(); }
  return source[((pixel / (WIDTH * HEIGHT) * SOURCE_HEIGHT + y) * SOURCE_WIDTH + x) * SOURCE_CHANNELS + c];
}

// Four values of k (columns) for four pixels.
fn leftBlock(batch: u32, line: u32, k: u32) -> mat4x4f {
  if (!WHOLE_K && k >= K4) { return mat4x4f(); }
  let tap = k / SOURCE_CHANNELS;
  let c = k % SOURCE_CHANNELS;
  let ky = tap / KERNEL_WIDTH;
  let kx = tap % KERNEL_WIDTH;
  let pixel = line * 4u;
  return transpose(mat4x4f(
    patch4(pixel, ky, kx, c),
    patch4(pixel + 1u, ky, kx, c),
    patch4(pixel + 2u, ky, kx, c),
    patch4(pixel + 3u, ky, kx, c),
  ));
}

// Four values of k (columns) for four channels of the result.
fn rightBlock(batch: u32, k: u32, line: u32) -> mat4x4f {
  if ((!WHOLE_K && k >= K4) || (!WHOLE_N && line >= N4)) { return mat4x4f(); }
  let at = k * 4u * N4 + line;
  return mat4x4f(weights[at], weights[at + N4], weights[at + 2u * N4], weights[at + 3u * N4]);
}

fn resultRow(batch: u32, m: u32) -> u32 {
  return select(NO_ROW, m, WHOLE_M || m < M);
}
