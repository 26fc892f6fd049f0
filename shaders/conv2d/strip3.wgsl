// strip.wgsl for kernels three wide and stride 1: each source value is loaded once for the three taps that need it. The
// input gradient is the convolution with the kernel turned by half a turn; its PADDING is KERNEL − 1 − padding, given for
// both axes.
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
override STRIPS: u32 = (WIDTH + 3u) / 4u;

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
  let x = index / CHANNELS % STRIPS * 4u;
  let y = index / (CHANNELS * STRIPS) % HEIGHT;
  let n = index / (CHANNELS * STRIPS * HEIGHT);
  var r0 = vec4f();
  var r1 = vec4f();
  var r2 = vec4f();
  var r3 = vec4f();
  for (var ky = 0u; ky < KERNEL_HEIGHT; ky++) {
    let sy = y + ky - PADDING_Y;
    if (sy >= SOURCE_HEIGHT) { continue; }
    let row = (n * SOURCE_HEIGHT + sy) * SOURCE_WIDTH;
    let left = x - PADDING_X;
    for (var c = 0u; c < SOURCE_CHANNELS; c++) {
      let s0 = load(row, left, c);
      let s1 = load(row, left + 1u, c);
      let s2 = load(row, left + 2u, c);
      let s3 = load(row, left + 3u, c);
      let s4 = load(row, left + 4u, c);
      let s5 = load(row, left + 5u, c);
      let m0 = block(ky, 0u, c, o);
      r0 += product(m0, s0);
      r1 += product(m0, s1);
      r2 += product(m0, s2);
      r3 += product(m0, s3);
      let m1 = block(ky, 1u, c, o);
      r0 += product(m1, s1);
      r1 += product(m1, s2);
      r2 += product(m1, s3);
      r3 += product(m1, s4);
      let m2 = block(ky, 2u, c, o);
      r0 += product(m2, s2);
      r1 += product(m2, s3);
      r2 += product(m2, s4);
      r3 += product(m2, s5);
    }
  }
  let at = ((n * HEIGHT + y) * WIDTH + x) * CHANNELS + o;
  result[at] = epilogue(at, r0);
  if (x + 1u < WIDTH) { result[at + CHANNELS] = epilogue(at + CHANNELS, r1); }
  if (x + 2u < WIDTH) { result[at + 2u * CHANNELS] = epilogue(at + 2u * CHANNELS, r2); }
  if (x + 3u < WIDTH) { result[at + 3u * CHANNELS] = epilogue(at + 3u * CHANNELS, r3); }
}
