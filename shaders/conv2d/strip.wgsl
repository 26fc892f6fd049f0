// Convolution and its input gradient as in plain.wgsl, without groups, for machines without fast shared memory: an
// invocation computes 4 results along x times 4 channels in registers. All channel counts are in vec4s. For the gradient of a
// strided convolution these 4 lie STRIDE apart, and so do their rows in neighbouring invocations: a tap that one of them
// does not have, none of them has.
override BATCH: u32 = 1u;
override SOURCE_HEIGHT: u32 = 1u;
override SOURCE_WIDTH: u32 = 1u;
override SOURCE_CHANNELS: u32 = 1u;
override HEIGHT: u32 = 1u;
override WIDTH: u32 = 1u;
override CHANNELS: u32 = 1u;
override KERNEL_HEIGHT: u32 = 1u;
override KERNEL_WIDTH: u32 = 1u;
override STRIDE: u32 = 1u;
override PADDING: u32 = 0u;
override INPUT_GRADIENT: bool = false;
override STEP: u32 = select(1u, STRIDE, INPUT_GRADIENT);
override ROWS: u32 = (HEIGHT + STEP - 1u) / STEP;
override STRIPS: u32 = (WIDTH + 4u * STEP - 1u) / (4u * STEP);
// Distance in the source of two of the 4.
override REACH: u32 = select(STRIDE, 1u, INPUT_GRADIENT);

@group(0) @binding(0) var<storage, read> source: array<vec4f>;
@group(0) @binding(1) var<storage, read> weights: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> result: array<vec4f>;

fn epilogue(at: u32, value: vec4f) -> vec4f { return value; }

// Whether the result's position i has a source position under tap k.
fn reaches(i: u32, k: u32) -> bool {
  return !INPUT_GRADIENT || (i + PADDING + k * (STRIDE - 1u)) % STRIDE == 0u;
}

// That source position; before the first it wraps around.
fn position(i: u32, k: u32) -> u32 {
  if (INPUT_GRADIENT) { return (i + PADDING + k * (STRIDE - 1u)) / STRIDE - k; }
  return i * STRIDE + k - PADDING;
}

fn load(row: u32, x: u32, c: u32) -> vec4f {
  let value = source[(row + min(x, SOURCE_WIDTH - 1u)) * SOURCE_CHANNELS + c];
  return select(vec4f(), value, x < SOURCE_WIDTH);
}

// As stored: a column a channel of the convolution's input, a row a channel of its output.
fn block(tap: u32, c: u32, o: u32) -> mat4x4f {
  var at = (tap * SOURCE_CHANNELS + c) * 4u * CHANNELS + o;
  var step = CHANNELS;
  if (INPUT_GRADIENT) {
    at = (tap * CHANNELS + o) * 4u * SOURCE_CHANNELS + c;
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
  if (index >= STEP * STEP * BATCH * ROWS * STRIPS * CHANNELS) { return; }
  let o = index % CHANNELS;
  let phase = index / (CHANNELS * STRIPS * ROWS * BATCH);
  let x = index / CHANNELS % STRIPS * 4u * STEP + phase % STEP;
  let y = index / (CHANNELS * STRIPS) % ROWS * STEP + phase / STEP;
  let n = index / (CHANNELS * STRIPS * ROWS) % BATCH;
  if (y >= HEIGHT) { return; }
  var r0 = vec4f();
  var r1 = vec4f();
  var r2 = vec4f();
  var r3 = vec4f();
  for (var ky = 0u; ky < KERNEL_HEIGHT; ky++) {
    if (!reaches(y, ky)) { continue; }
    let sy = position(y, ky);
    if (sy >= SOURCE_HEIGHT) { continue; }
    let row = (n * SOURCE_HEIGHT + sy) * SOURCE_WIDTH;
    for (var kx = 0u; kx < KERNEL_WIDTH; kx++) {
      if (!reaches(x, kx)) { continue; }
      let left = position(x, kx);
      for (var c = 0u; c < SOURCE_CHANNELS; c++) {
        let m = block(ky * KERNEL_WIDTH + kx, c, o);
        r0 += product(m, load(row, left, c));
        r1 += product(m, load(row, left + REACH, c));
        r2 += product(m, load(row, left + 2u * REACH, c));
        r3 += product(m, load(row, left + 3u * REACH, c));
      }
    }
  }
  let at = ((n * HEIGHT + y) * WIDTH + x) * CHANNELS + o;
  let next = STEP * CHANNELS;
  if (x < WIDTH) { result[at] = epilogue(at, r0); }
  if (x + STEP < WIDTH) { result[at + next] = epilogue(at + next, r1); }
  if (x + 2u * STEP < WIDTH) { result[at + 2u * next] = epilogue(at + 2u * next, r2); }
  if (x + 3u * STEP < WIDTH) { result[at + 3u * next] = epilogue(at + 3u * next, r3); }
}
