// weights_plain.wgsl for any kernel and stride, without groups, on machines without fast shared memory: an invocation keeps
// one tap × 4 source channels × 4 channels in registers. Channel counts are in vec4s.
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
override CHUNKS: u32 = 1u;
override ROWS_PER_CHUNK: u32 = 1u;

@group(0) @binding(0) var<storage, read> source: array<vec4f>;
@group(0) @binding(1) var<storage, read> dy: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> partials: array<vec4f>;

@compute @workgroup_size(32)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let index = (group.y * groups.x + group.x) * 32u + lane;
  if (index >= CHUNKS * KERNEL_HEIGHT * KERNEL_WIDTH * SOURCE_CHANNELS * CHANNELS) { return; }
  let o = index % CHANNELS;
  let c = index / CHANNELS % SOURCE_CHANNELS;
  let tap = index / (CHANNELS * SOURCE_CHANNELS);
  let kx = tap % KERNEL_WIDTH;
  let ky = tap / KERNEL_WIDTH % KERNEL_HEIGHT;
  let first = tap / (KERNEL_WIDTH * KERNEL_HEIGHT) * ROWS_PER_CHUNK;
  var r0 = vec4f();
  var r1 = vec4f();
  var r2 = vec4f();
  var r3 = vec4f();
  for (var row = first; row < min(first + ROWS_PER_CHUNK, BATCH * HEIGHT); row++) {
    let sy = row % HEIGHT * STRIDE + ky - PADDING;
    if (sy >= SOURCE_HEIGHT) { continue; }
    let sourceRow = (row / HEIGHT * SOURCE_HEIGHT + sy) * SOURCE_WIDTH;
    for (var x = 0u; x < WIDTH; x++) {
      let sx = x * STRIDE + kx - PADDING;
      if (sx >= SOURCE_WIDTH) { continue; }
      let s = source[(sourceRow + sx) * SOURCE_CHANNELS + c];
      let d = dy[(row * WIDTH + x) * CHANNELS + o];
      r0 += s.x * d;
      r1 += s.y * d;
      r2 += s.z * d;
      r3 += s.w * d;
    }
  }
  let at = (tap * SOURCE_CHANNELS + c) * 4u * CHANNELS + o;
  partials[at] = r0;
  partials[at + CHANNELS] = r1;
  partials[at + 2u * CHANNELS] = r2;
  partials[at + 3u * CHANNELS] = r3;
}
