// strip3.wgsl for depthwise kernels, weights [ky, kx, c]. CHANNELS counts vec4s.
override BATCH: u32 = 1u;
override SOURCE_HEIGHT: u32 = 1u;
override SOURCE_WIDTH: u32 = 1u;
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
  let value = source[(row + min(x, SOURCE_WIDTH - 1u)) * CHANNELS + c];
  return select(vec4f(), value, x < SOURCE_WIDTH);
}

fn weight(ky: u32, kx: u32, c: u32) -> vec4f {
  let tap = ky * 3u + kx;
  return weights[select(tap, KERNEL_HEIGHT * 3u - 1u - tap, INPUT_GRADIENT) * CHANNELS + c];
}

@compute @workgroup_size(32)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let index = (group.y * groups.x + group.x) * 32u + lane;
  if (index >= BATCH * HEIGHT * STRIPS * CHANNELS) { return; }
  let c = index % CHANNELS;
  let x = index / CHANNELS % STRIPS * 4u;
  let y = index / (CHANNELS * STRIPS) % HEIGHT;
  let n = index / (CHANNELS * STRIPS * HEIGHT);
  var r0 = vec4f();
  var r1 = vec4f();
  var r2 = vec4f();
  var r3 = vec4f();
  let left = x - PADDING_X;
  // unroll
  for (var ky = 0u; ky < KERNEL_HEIGHT; ky++) {
    let sy = y + ky - PADDING_Y;
    if (sy < SOURCE_HEIGHT) {
      let row = (n * SOURCE_HEIGHT + sy) * SOURCE_WIDTH;
      let s0 = load(row, left, c);
      let s1 = load(row, left + 1u, c);
      let s2 = load(row, left + 2u, c);
      let s3 = load(row, left + 3u, c);
      let s4 = load(row, left + 4u, c);
      let s5 = load(row, left + 5u, c);
      let w0 = weight(ky, 0u, c);
      let w1 = weight(ky, 1u, c);
      let w2 = weight(ky, 2u, c);
      r0 += w0 * s0 + w1 * s1 + w2 * s2;
      r1 += w0 * s1 + w1 * s2 + w2 * s3;
      r2 += w0 * s2 + w1 * s3 + w2 * s4;
      r3 += w0 * s3 + w1 * s4 + w2 * s5;
    }
  }
  let at = ((n * HEIGHT + y) * WIDTH + x) * CHANNELS + c;
  result[at] = epilogue(at, r0);
  if (x + 1u < WIDTH) { result[at + CHANNELS] = epilogue(at + CHANNELS, r1); }
  if (x + 2u < WIDTH) { result[at + 2u * CHANNELS] = epilogue(at + 2u * CHANNELS, r2); }
  if (x + 3u < WIDTH) { result[at + 3u * CHANNELS] = epilogue(at + 3u * CHANNELS, r3); }
}
