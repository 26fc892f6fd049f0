// Gradient of a convolution for its weights, for any shape:
//   dw[ky, kx, c, o] = Σ_{n, y, x} source[n, y·S + ky − P, x·S + kx − P, c] · dy[n, y, x, o]
// One invocation sums one element over a chunk of ROWS_PER_CHUNK rows (n, y); partials are [chunk, ky, kx, c, o].
// DEPTHWISE: dw is [ky, kx, o] and c = o.
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
override DEPTHWISE: bool = false;
override CHUNKS: u32 = 1u;
override ROWS_PER_CHUNK: u32 = 1u;
override DEPTH: u32 = SOURCE_CHANNELS;

@group(0) @binding(0) var<storage, read> source: array<f32>;
@group(0) @binding(1) var<storage, read> dy: array<f32>;
@group(0) @binding(2) var<storage, read_write> partials: array<f32>;

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let index = (group.y * groups.x + group.x) * 64u + lane;
  if (index >= CHUNKS * KERNEL_HEIGHT * KERNEL_WIDTH * DEPTH * CHANNELS) { return; }
  let o = index % CHANNELS;
  let c = select(index / CHANNELS % DEPTH, o, DEPTHWISE);
  let kx = index / (CHANNELS * DEPTH) % KERNEL_WIDTH;
  let ky = index / (CHANNELS * DEPTH * KERNEL_WIDTH) % KERNEL_HEIGHT;
  let first = index / (CHANNELS * DEPTH * KERNEL_WIDTH * KERNEL_HEIGHT) * ROWS_PER_CHUNK;
  var total = 0.0;
  for (var row = first; row < min(first + ROWS_PER_CHUNK, BATCH * HEIGHT); row++) {
    let sy = row % HEIGHT * STRIDE + ky - PADDING;
    if (sy >= SOURCE_HEIGHT) { continue; }
    let sourceRow = (row / HEIGHT * SOURCE_HEIGHT + sy) * SOURCE_WIDTH;
    for (var x = 0u; x < WIDTH; x++) {
      let sx = x * STRIDE + kx - PADDING;
      if (sx >= SOURCE_WIDTH) { continue; }
      total += source[(sourceRow + sx) * SOURCE_CHANNELS + c] * dy[(row * WIDTH + x) * CHANNELS + o];
    }
  }
  partials[index] = total;
}
