// Operands of a convolution's weight gradient as a product: rows are (tap, source channel), columns channels of dy, and k runs
// over the pixels (n, y, x) of dy. All channel counts are in vec4s.
override SOURCE_HEIGHT: u32 = 1u;
override SOURCE_WIDTH: u32 = 1u;
override SOURCE_CHANNELS: u32 = 1u;
override HEIGHT: u32 = 1u;
override WIDTH: u32 = 1u;
override KERNEL_WIDTH: u32 = 1u;
override STRIDE: u32 = 1u;
override PADDING: u32 = 0u;
override PIXELS: u32 = 1u;
override ROWS: u32 = M; // of (tap, source channel)
override ONES: u32 = NO_ROW; // a further row of ones, for the sums of dy
const NO_ROW = 0xffffffffu;

@group(0) @binding(0) var<storage, read> source: array<vec4f>;
@group(0) @binding(1) var<storage, read> dy: array<vec4f>;

// Four source channels from c on, as a pixel of dy sees them under a tap.
fn patch4(pixel: u32, ky: u32, kx: u32, c: u32) -> vec4f {
  let y = pixel / WIDTH % HEIGHT * STRIDE + ky - PADDING;
  let x = pixel % WIDTH * STRIDE + kx - PADDING;
  if ((!WHOLE_K && pixel >= PIXELS) || y >= SOURCE_HEIGHT || x >= SOURCE_WIDTH) { return vec4f(); }
  return source[((pixel / (WIDTH * HEIGHT) * SOURCE_HEIGHT + y) * SOURCE_WIDTH + x) * SOURCE_CHANNELS + c];
}

// Four pixels (columns) for four source channels under one tap.
fn leftBlock(batch: u32, line: u32, k: u32) -> mat4x4f {
  if (!(WHOLE_M && ROWS == M) && line * 4u >= ROWS) {
    let ones = select(vec4f(), vec4f(1.0), vec4u(0u, 1u, 2u, 3u) + line * 4u == vec4u(ONES));
    return mat4x4f(ones, ones, ones, ones);
  }
  let tap = line / SOURCE_CHANNELS;
  let c = line % SOURCE_CHANNELS;
  let ky = tap / KERNEL_WIDTH;
  let kx = tap % KERNEL_WIDTH;
  let pixel = k * 4u;
  return mat4x4f(
    patch4(pixel, ky, kx, c),
    patch4(pixel + 1u, ky, kx, c),
    patch4(pixel + 2u, ky, kx, c),
    patch4(pixel + 3u, ky, kx, c),
  );
}

fn cotangent4(pixel: u32, line: u32) -> vec4f {
  if ((!WHOLE_K && pixel >= PIXELS) || (!WHOLE_N && line >= N4)) { return vec4f(); }
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
  return select(NO_ROW, m, WHOLE_M || m < M);
}
