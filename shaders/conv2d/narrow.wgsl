// Convolution of a source with any number of channels (images have 3) to a multiple of 4, for machines without fast shared
// memory: an invocation computes PIXELS results along x times 4 channels. The source is read number by number, each once for
// all taps of a row. CHANNELS counts vec4s.
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
override PIXELS: u32 = 4u; // at most MOST_PIXELS
override SOURCES: u32 = 4u; // (PIXELS − 1) · STRIDE + KERNEL_WIDTH, at most MOST_SOURCES
override STRIPS: u32 = (WIDTH + PIXELS - 1u) / PIXELS;

const MOST_PIXELS = 16u;
const MOST_SOURCES = 40u;

@group(0) @binding(0) var<storage, read> source: array<f32>;
@group(0) @binding(1) var<storage, read> weights: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> result: array<vec4f>;

fn epilogue(at: u32, value: vec4f) -> vec4f { return value; }

fn load(row: u32, x: u32, c: u32) -> f32 {
  let value = source[(row + min(x, SOURCE_WIDTH - 1u)) * SOURCE_CHANNELS + c];
  return select(0.0, value, x < SOURCE_WIDTH);
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
  let left = x * STRIDE - PADDING;
  var sums: array<vec4f, MOST_PIXELS>;
  for (var ky = 0u; ky < KERNEL_HEIGHT; ky++) {
    let sy = y * STRIDE + ky - PADDING;
    if (sy >= SOURCE_HEIGHT) { continue; }
    let row = (n * SOURCE_HEIGHT + sy) * SOURCE_WIDTH;
    for (var c = 0u; c < SOURCE_CHANNELS; c++) {
      var s: array<f32, MOST_SOURCES>;
      // unroll
      for (var p = 0u; p < SOURCES; p++) {
        s[p] = load(row, left + p, c);
      }
      // unroll
      for (var kx = 0u; kx < KERNEL_WIDTH; kx++) {
        let w = weights[((ky * KERNEL_WIDTH + kx) * SOURCE_CHANNELS + c) * CHANNELS + o];
        // unroll
        for (var p = 0u; p < PIXELS; p++) {
          sums[p] += w * s[p * STRIDE + kx];
        }
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
