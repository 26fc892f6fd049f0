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

// Four pixels of the result: where their windows begin in the source. Rows count through all images.
struct Windows {
  pixels: vec4u,
  y: vec4u,
  x: vec4u,
  first: vec4u,
}

// One value of k for four pixels.
fn patches(at: Windows, k: u32) -> vec4f {
  let tap = k / SOURCE_CHANNELS;
  let y = at.y + tap / KERNEL_WIDTH;
  let x = at.x + tap % KERNEL_WIDTH;
  let inside = (at.pixels < vec4u(select(0u, M, k < K))) & (y < vec4u(SOURCE_HEIGHT)) & (x < vec4u(SOURCE_WIDTH));
  let place = ((at.first + y) * SOURCE_WIDTH + x) * SOURCE_CHANNELS + k % SOURCE_CHANNELS;
  let i = select(vec4u(), place, inside);
  return select(vec4f(), vec4f(source[i.x], source[i.y], source[i.z], source[i.w]), inside);
}

fn leftBlock(batch: u32, line: u32, k: u32) -> mat4x4f {
  let pixels = line * 4u + vec4u(0u, 1u, 2u, 3u);
  let y = pixels / WIDTH % HEIGHT * STRIDE - PADDING;
  let x = pixels % WIDTH * STRIDE - PADDING;
  let at = Windows(pixels, y, x, pixels / (WIDTH * HEIGHT) * SOURCE_HEIGHT);
  return mat4x4f(
    patches(at, k * 4u),
    patches(at, k * 4u + 1u),
    patches(at, k * 4u + 2u),
    patches(at, k * 4u + 3u),
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
  return select(NO_ROW, m, WHOLE_M || m < M);
}
