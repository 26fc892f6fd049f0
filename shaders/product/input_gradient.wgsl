// Operands of a convolution's input gradient as a product: rows are the input's pixels, columns its channels, and k runs over
// (tap, channel of dy). With a stride, `batch` counts the STRIDE² classes of pixels whose y and x leave the same remainders:
// only every STRIDE-th tap in either direction reaches a class. All channel counts are in vec4s.
override HEIGHT: u32 = 1u; // of dy
override WIDTH: u32 = 1u;
override CHANNELS: u32 = 1u;
override SOURCE_HEIGHT: u32 = 1u;
override SOURCE_WIDTH: u32 = 1u;
override KERNEL_HEIGHT: u32 = 1u;
override KERNEL_WIDTH: u32 = 1u;
override STRIDE: u32 = 1u;
override PADDING: u32 = 0u;
override CLASS_HEIGHT: u32 = (SOURCE_HEIGHT + STRIDE - 1u) / STRIDE;
override CLASS_WIDTH: u32 = (SOURCE_WIDTH + STRIDE - 1u) / STRIDE;
override CLASS_TAPS: u32 = (KERNEL_WIDTH + STRIDE - 1u) / STRIDE; // in a row
const NO_ROW = 0xffffffffu;

@group(0) @binding(0) var<storage, read> dy: array<vec4f>;
@group(0) @binding(1) var<storage, read> weights: array<vec4f>;

// The first tap that reaches a class, and every STRIDE-th after it.
fn tapAt(remainder: u32, k: u32) -> u32 {
  return (remainder + PADDING) % STRIDE + k * STRIDE;
}

// Four channels from c on of the cotangent that reaches a pixel of the input through a tap.
fn cotangent4(batch: u32, pixel: u32, ky: u32, kx: u32, c: u32) -> vec4f {
  let y = (pixel / CLASS_WIDTH % CLASS_HEIGHT * STRIDE + batch / STRIDE + PADDING - ky) / STRIDE;
  let x = (pixel % CLASS_WIDTH * STRIDE + batch % STRIDE + PADDING - kx) / STRIDE;
  if ((!WHOLE_M && pixel >= M) || y >= HEIGHT || x >= WIDTH) { return vec4f(); }
  return dy[((pixel / (CLASS_WIDTH * CLASS_HEIGHT) * HEIGHT + y) * WIDTH + x) * CHANNELS + c];
}

// Four values of k (columns) for four pixels.
fn leftBlock(batch: u32, line: u32, k: u32) -> mat4x4f {
  let tap = k / CHANNELS;
  let c = k % CHANNELS;
  let ky = tapAt(batch / STRIDE, tap / CLASS_TAPS);
  let kx = tapAt(batch % STRIDE, tap % CLASS_TAPS);
  if ((!WHOLE_K && k >= K4) || ky >= KERNEL_HEIGHT || kx >= KERNEL_WIDTH) { return mat4x4f(); }
  let pixel = line * 4u;
  return transpose(mat4x4f(
    cotangent4(batch, pixel, ky, kx, c),
    cotangent4(batch, pixel + 1u, ky, kx, c),
    cotangent4(batch, pixel + 2u, ky, kx, c),
    cotangent4(batch, pixel + 3u, ky, kx, c),
  ));
}

// Four values of k (columns) for four channels of the input.
fn rightBlock(batch: u32, k: u32, line: u32) -> mat4x4f {
  let tap = k / CHANNELS;
  let ky = tapAt(batch / STRIDE, tap / CLASS_TAPS);
  let kx = tapAt(batch % STRIDE, tap % CLASS_TAPS);
  if ((!WHOLE_K && k >= K4) || (!WHOLE_N && line >= N4) || ky >= KERNEL_HEIGHT || kx >= KERNEL_WIDTH) { return mat4x4f(); }
  let at = ((ky * KERNEL_WIDTH + kx) * N4 + line) * 4u * CHANNELS + k % CHANNELS;
  return transpose(mat4x4f(
    weights[at],
    weights[at + CHANNELS],
    weights[at + 2u * CHANNELS],
    weights[at + 3u * CHANNELS],
  ));
}

fn resultRow(batch: u32, m: u32) -> u32 {
  let y = m / CLASS_WIDTH % CLASS_HEIGHT * STRIDE + batch / STRIDE;
  let x = m % CLASS_WIDTH * STRIDE + batch % STRIDE;
  let n = m / (CLASS_WIDTH * CLASS_HEIGHT);
  return select(
    NO_ROW,
    (n * SOURCE_HEIGHT + y) * SOURCE_WIDTH + x,
    (WHOLE_M || m < M) && y < SOURCE_HEIGHT && x < SOURCE_WIDTH,
  );
}
