// strip.wgsl for kernels three wide and stride 1, with PIXELS results along x: each source value is loaded once for the
// three taps that need it, each weight once for all the results. The input gradient is the convolution with the kernel turned
// by half a turn; its PADDING is KERNEL − 1 − padding, given for both axes.
override BATCH: u32 = 1u;
override SOURCE_HEIGHT: u32 = 1u;
override SOURCE_WIDTH: u32 = 1u;
override SOURCE_CHANNELS: u32 = 1u;
override HEIGHT: u32 = 1u;
override WIDTH: u32 = 1u;
override CHANNELS: u32 = 1u;
override KERNEL_HEIGHT: u32 = 3u;
override PADDING_Y: u32 = 1u;
override PADDING_X: u32 = 1u;
override INPUT_GRADIENT: bool = false;
override PIXELS: u32 = 4u; // at most MOST
override SOURCES: u32 = 6u; // PIXELS + 2
override STRIPS: u32 = (WIDTH + PIXELS - 1u) / PIXELS;

const MOST = 16u;

@group(0) @binding(0) var<storage, read> source: array<vec4f>;
@group(0) @binding(1) var<storage, read> weights: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> result: array<vec4f>;

fn epilogue(at: u32, value: vec4f) -> vec4f { return value; }

fn load(row: u32, x: u32, c: u32) -> vec4f {
  let value = source[(row + min(x, SOURCE_WIDTH - 1u)) * SOURCE_CHANNELS + c];
  return select(vec4f(), value, x < SOURCE_WIDTH);
}

// As stored: a column a channel of the convolution's input, a row a channel of its output.
fn block(ky: u32, kx: u32, c: u32, o: u32) -> mat4x4f {
  var at = ((ky * 3u + kx) * SOURCE_CHANNELS + c) * 4u * CHANNELS + o;
  var step = CHANNELS;
  if (INPUT_GRADIENT) {
    at = (((KERNEL_HEIGHT - 1u - ky) * 3u + 2u - kx) * CHANNELS + o) * 4u * SOURCE_CHANNELS + c;
    step = SOURCE_CHANNELS;
  }
  return mat4x4f(weights[at], weights[at + step], weights[at + 2u * step], weights[at + 3u * step]);
}

fn product(m: mat4x4f, v: vec4f) -> vec4f {
  if (INPUT_GRADIENT) { return v * m; }
  return m * v;
}

@compute @workgroup_size(32)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let index = (group.y * groups.x + group.x) * 32u + lane;
  if (index >= BATCH * HEIGHT * STRIPS * CHANNELS) { return; }
  let o = index % CHANNELS;
  let x = index / CHANNELS % STRIPS * PIXELS;
  let y = index / (CHANNELS * STRIPS) % HEIGHT;
  let n = index / (CHANNELS * STRIPS * HEIGHT);
  var sums: array<vec4f, MOST>;
  for (var ky = 0u; ky < KERNEL_HEIGHT; ky++) {
    let sy = y + ky - PADDING_Y;
    if (sy >= SOURCE_HEIGHT) { continue; }
    let row = (n * SOURCE_HEIGHT + sy) * SOURCE_WIDTH;
    let left = x - PADDING_X;
    for (var c = 0u; c < SOURCE_CHANNELS; c++) {
      var s: array<vec4f, MOST + 2u>;
      // unroll
      for (var p = 0u; p < SOURCES; p++) {
        s[p] = load(row, left + p, c);
      }
      let m0 = block(ky, 0u, c, o);
      let m1 = block(ky, 1u, c, o);
      let m2 = block(ky, 2u, c, o);
      // unroll
      for (var p = 0u; p < PIXELS; p++) {
        sums[p] += product(m0, s[p]) + product(m1, s[p + 1u]) + product(m2, s[p + 2u]);
      }
    }
  }
  let first = ((n * HEIGHT + y) * WIDTH + x) * CHANNELS + o;
  // unroll
  for (var p = 0u; p < PIXELS; p++) {
    let at = first + p * CHANNELS;
    if (x + p < WIDTH) { result[at] = epilogue(at, sums[p]); }
  }
}
