// weights_plain.wgsl for kernels three wide, stride 1, without groups, on machines without fast shared memory: an invocation
// keeps 3 taps × 4 source channels × 4 channels in registers and slides along x. Channel counts are in vec4s.
override BATCH: u32 = 1u;
override SOURCE_HEIGHT: u32 = 1u;
override SOURCE_WIDTH: u32 = 1u;
override SOURCE_CHANNELS: u32 = 1u;
override HEIGHT: u32 = 1u;
override WIDTH: u32 = 1u;
override CHANNELS: u32 = 1u;
override KERNEL_HEIGHT: u32 = 3u;
override PADDING: u32 = 1u;
override CHUNKS: u32 = 1u;
override ROWS_PER_CHUNK: u32 = 1u;

@group(0) @binding(0) var<storage, read> source: array<vec4f>;
@group(0) @binding(1) var<storage, read> dy: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> partials: array<vec4f>;

fn load(row: u32, x: u32, c: u32) -> vec4f {
  let value = source[(row + min(x, SOURCE_WIDTH - 1u)) * SOURCE_CHANNELS + c];
  return select(vec4f(), value, x < SOURCE_WIDTH);
}

@compute @workgroup_size(32)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let index = (group.y * groups.x + group.x) * 32u + lane;
  if (index >= CHUNKS * KERNEL_HEIGHT * SOURCE_CHANNELS * CHANNELS) { return; }
  let o = index % CHANNELS;
  let c = index / CHANNELS % SOURCE_CHANNELS;
  let ky = index / (CHANNELS * SOURCE_CHANNELS) % KERNEL_HEIGHT;
  let chunk = index / (CHANNELS * SOURCE_CHANNELS * KERNEL_HEIGHT);
  var a0 = vec4f();
  var a1 = vec4f();
  var a2 = vec4f();
  var a3 = vec4f();
  var b0 = vec4f();
  var b1 = vec4f();
  var b2 = vec4f();
  var b3 = vec4f();
  var c0 = vec4f();
  var c1 = vec4f();
  var c2 = vec4f();
  var c3 = vec4f();
  let first = chunk * ROWS_PER_CHUNK;
  for (var row = first; row < min(first + ROWS_PER_CHUNK, BATCH * HEIGHT); row++) {
    let sy = row % HEIGHT + ky - PADDING;
    if (sy >= SOURCE_HEIGHT) { continue; }
    let sourceRow = (row / HEIGHT * SOURCE_HEIGHT + sy) * SOURCE_WIDTH;
    var s0 = load(sourceRow, 0u - PADDING, c);
    var s1 = load(sourceRow, 1u - PADDING, c);
    for (var x = 0u; x < WIDTH; x++) {
      let s2 = load(sourceRow, x + 2u - PADDING, c);
      let d = dy[(row * WIDTH + x) * CHANNELS + o];
      a0 += s0.x * d;
      a1 += s0.y * d;
      a2 += s0.z * d;
      a3 += s0.w * d;
      b0 += s1.x * d;
      b1 += s1.y * d;
      b2 += s1.z * d;
      b3 += s1.w * d;
      c0 += s2.x * d;
      c1 += s2.y * d;
      c2 += s2.z * d;
      c3 += s2.w * d;
      s0 = s1;
      s1 = s2;
    }
  }
  let tap = SOURCE_CHANNELS * 4u * CHANNELS;
  let at = (chunk * KERNEL_HEIGHT + ky) * 3u * tap + c * 4u * CHANNELS + o;
  partials[at] = a0;
  partials[at + CHANNELS] = a1;
  partials[at + 2u * CHANNELS] = a2;
  partials[at + 3u * CHANNELS] = a3;
  partials[at + tap] = b0;
  partials[at + tap + CHANNELS] = b1;
  partials[at + tap + 2u * CHANNELS] = b2;
  partials[at + tap + 3u * CHANNELS] = b3;
  partials[at + 2u * tap] = c0;
  partials[at + 2u * tap + CHANNELS] = c1;
  partials[at + 2u * tap + 2u * CHANNELS] = c2;
  partials[at + 2u * tap + 3u * CHANNELS] = c3;
}
