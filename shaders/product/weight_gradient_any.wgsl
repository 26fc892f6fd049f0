// Operands of a convolution's weight gradient as in weight_gradient.wgsl, for any number of (tap, source channel): images of
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
override ROWS: u32 = M; // of (tap, source channel)
override ONES: u32 = NO_ROW; // a further row of ones, for the sums of dy
const NO_ROW = 0xffffffffu;

@group(0) @binding(0) var<storage, read> source: array<f32>;
@group(0) @binding(1) var<storage, read> dy: array<vec4f>;

// Four rows: a tap and a source channel each.
struct Rows {
  rows: vec4u,
  ky: vec4u,
  kx: vec4u,
  c: vec4u,
}

// Four rows as a pixel of dy sees them.
fn patches(at: Rows, pixel: u32) -> vec4f {
  let y = at.ky + pixel / WIDTH % HEIGHT * STRIDE - PADDING;
  let x = at.kx + pixel % WIDTH * STRIDE - PADDING;
  let inside = (at.rows < vec4u(select(0u, ROWS, pixel < PIXELS))) & (y < vec4u(SOURCE_HEIGHT)) &
    (x < vec4u(SOURCE_WIDTH));
  let first = pixel / (WIDTH * HEIGHT) * SOURCE_HEIGHT;
  let i = select(vec4u(), ((first + y) * SOURCE_WIDTH + x) * SOURCE_CHANNELS + at.c, inside);
  let ones = select(vec4f(), vec4f(1.0), at.rows == vec4u(ONES));
  return select(ones, vec4f(source[i.x], source[i.y], source[i.z], source[i.w]), inside);
}

// Four pixels (columns) for four rows.
fn leftBlock(batch: u32, line: u32, k: u32) -> mat4x4f {
  let rows = line * 4u + vec4u(0u, 1u, 2u, 3u);
  let tap = rows / SOURCE_CHANNELS;
  let at = Rows(rows, tap / KERNEL_WIDTH, tap % KERNEL_WIDTH, rows % SOURCE_CHANNELS);
  return mat4x4f(
    patches(at, k * 4u),
    patches(at, k * 4u + 1u),
    patches(at, k * 4u + 2u),
    patches(at, k * 4u + 3u),
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
