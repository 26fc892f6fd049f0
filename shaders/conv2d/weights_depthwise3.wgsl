// weights_strip3.wgsl for depthwise kernels: an invocation keeps 3 taps × 4 channels in registers. CHANNELS counts vec4s.
override BATCH: u32 = 1u;
override SOURCE_HEIGHT: u32 = 1u;
override SOURCE_WIDTH: u32 = 1u;
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
  let value = source[(row + min(x, SOURCE_WIDTH - 1u)) * CHANNELS + c];
  return select(vec4f(), value, x < SOURCE_WIDTH);
}

@compute @workgroup_size(32)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let index = (group.y * groups.x + group.x) * 32u + lane;
  if (index >= CHUNKS * KERNEL_HEIGHT * CHANNELS) { return; }
  let o = index % CHANNELS;
  let ky = index / CHANNELS % KERNEL_HEIGHT;
  let chunk = index / (CHANNELS * KERNEL_HEIGHT);
  var r0 = vec4f();
  var r1 = vec4f();
  var r2 = vec4f();
  let first = chunk * ROWS_PER_CHUNK;
  for (var row = first; row < min(first + ROWS_PER_CHUNK, BATCH * HEIGHT); row++) {
    let sy = row % HEIGHT + ky - PADDING;
    if (sy >= SOURCE_HEIGHT) { continue; }
    let sourceRow = (row / HEIGHT * SOURCE_HEIGHT + sy) * SOURCE_WIDTH;
    var s0 = load(sourceRow, 0u - PADDING, o);
    var s1 = load(sourceRow, 1u - PADDING, o);
    for (var x = 0u; x < WIDTH; x++) {
      let s2 = load(sourceRow, x + 2u - PADDING, o);
      let d = dy[(row * WIDTH + x) * CHANNELS + o];
      r0 += s0 * d;
      r1 += s1 * d;
      r2 += s2 * d;
      s0 = s1;
      s1 = s2;
    }
  }
  let at = (chunk * KERNEL_HEIGHT + ky) * 3u * CHANNELS + o;
  partials[at] = r0;
  partials[at + CHANNELS] = r1;
  partials[at + 2u * CHANNELS] = r2;
}
