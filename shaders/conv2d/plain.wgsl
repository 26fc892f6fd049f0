// Convolution for any channel counts, and its gradient for the input: one invocation a result.
//   forward:        result[n, y, x, o] = Σ source[n, y·S + ky − P, x·S + kx − P, c] · weights[ky, kx, c, o]
//   INPUT_GRADIENT: result[n, y, x, o] = Σ source[n, (y + P − ky) / S, (x + P − kx) / S, c] · weights[ky, kx, o, c]
// where the quotients are whole and inside the source. DEPTHWISE: weights are [ky, kx, c] and only c = o counts.
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
override DEPTHWISE: bool = false;

@group(0) @binding(0) var<storage, read> source: array<f32>;
@group(0) @binding(1) var<storage, read> weights: array<f32>;
@group(0) @binding(2) var<storage, read_write> result: array<f32>;

fn epilogue(at: u32, value: f32) -> f32 { return value; }

// Where the source is read for position i of the result under tap k; 2³² − 1 and its neighbours stand for outside.
fn position(i: u32, k: u32) -> u32 {
  if (INPUT_GRADIENT) {
    let at = i + PADDING - k;
    return select(0xffffffffu, at / STRIDE, at % STRIDE == 0u && i + PADDING >= k);
  }
  return i * STRIDE + k - PADDING;
}

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let index = (group.y * groups.x + group.x) * 64u + lane;
  if (index >= BATCH * HEIGHT * WIDTH * CHANNELS) { return; }
  let o = index % CHANNELS;
  let x = index / CHANNELS % WIDTH;
  let y = index / (CHANNELS * WIDTH) % HEIGHT;
  let n = index / (CHANNELS * WIDTH * HEIGHT);
  let first = select(0u, o, DEPTHWISE);
  let count = select(SOURCE_CHANNELS, 1u, DEPTHWISE);
  let rowLength = select(CHANNELS, SOURCE_CHANNELS, INPUT_GRADIENT);
  let step = select(rowLength, 1u, INPUT_GRADIENT);
  var total = 0.0;
  for (var ky = 0u; ky < KERNEL_HEIGHT; ky++) {
    let sy = position(y, ky);
    if (sy >= SOURCE_HEIGHT) { continue; }
    for (var kx = 0u; kx < KERNEL_WIDTH; kx++) {
      let sx = position(x, kx);
      if (sx >= SOURCE_WIDTH) { continue; }
      let tap = ky * KERNEL_WIDTH + kx;
      let sourceAt = ((n * SOURCE_HEIGHT + sy) * SOURCE_WIDTH + sx) * SOURCE_CHANNELS + first;
      var at = tap * CHANNELS * SOURCE_CHANNELS + select(o, o * SOURCE_CHANNELS, INPUT_GRADIENT);
      if (DEPTHWISE) { at = tap * CHANNELS + o; }
      for (var c = 0u; c < count; c++) {
        total += source[sourceAt + c] * weights[at];
        at += step;
      }
    }
  }
  result[index] = epilogue(index, total);
}
