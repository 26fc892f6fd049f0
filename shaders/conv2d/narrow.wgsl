// Convolution of a source with any number of channels (images have 3) to a multiple of 4, for machines without fast shared
// memory: as strip.wgsl, but the source is read number by number. CHANNELS counts vec4s.
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
override STRIPS: u32 = (WIDTH + 3u) / 4u;

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
  let x = index / CHANNELS % STRIPS * 4u;
  let y = index / (CHANNELS * STRIPS) % HEIGHT;
  let n = index / (CHANNELS * STRIPS * HEIGHT);
  var r0 = vec4f();
  var r1 = vec4f();
  var r2 = vec4f();
  var r3 = vec4f();
  for (var ky = 0u; ky < KERNEL_HEIGHT; ky++) {
    let sy = y * STRIDE + ky - PADDING;
    if (sy >= SOURCE_HEIGHT) { continue; }
    let row = (n * SOURCE_HEIGHT + sy) * SOURCE_WIDTH;
    for (var kx = 0u; kx < KERNEL_WIDTH; kx++) {
      let left = x * STRIDE + kx - PADDING;
      for (var c = 0u; c < SOURCE_CHANNELS; c++) {
        let w = weights[((ky * KERNEL_WIDTH + kx) * SOURCE_CHANNELS + c) * CHANNELS + o];
        r0 += w * load(row, left, c);
        r1 += w * load(row, left + STRIDE, c);
        r2 += w * load(row, left + 2u * STRIDE, c);
        r3 += w * load(row, left + 3u * STRIDE, c);
      }
    }
  }
  let at = ((n * HEIGHT + y) * WIDTH + x) * CHANNELS + o;
  result[at] = epilogue(at, r0);
  if (x + 1u < WIDTH) { result[at + CHANNELS] = epilogue(at + CHANNELS, r1); }
  if (x + 2u < WIDTH) { result[at + 2u * CHANNELS] = epilogue(at + 2u * CHANNELS, r2); }
  if (x + 3u < WIDTH) { result[at + 3u * CHANNELS] = epilogue(at + 3u * CHANNELS, r3); }
}
