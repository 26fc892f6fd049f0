// weights_strip3.wgsl for any number of source channels (images have 3): an invocation keeps 3 taps × 3 source channels ×
// 4 channels in registers. CHANNELS counts vec4s, SOURCE_CHANNELS numbers.
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
override TRIPLES: u32 = (SOURCE_CHANNELS + 2u) / 3u;

@group(0) @binding(0) var<storage, read> source: array<f32>;
@group(0) @binding(1) var<storage, read> dy: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> partials: array<vec4f>;

// Three channels from c on; those past the last repeat it.
fn load(row: u32, x: u32, c: u32) -> vec3f {
  let at = (row + min(x, SOURCE_WIDTH - 1u)) * SOURCE_CHANNELS;
  let last = SOURCE_CHANNELS - 1u;
  let value = vec3f(source[at + c], source[at + min(c + 1u, last)], source[at + min(c + 2u, last)]);
  return select(vec3f(), value, x < SOURCE_WIDTH);
}

@compute @workgroup_size(32)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let index = (group.y * groups.x + group.x) * 32u + lane;
  if (index >= CHUNKS * KERNEL_HEIGHT * TRIPLES * CHANNELS) { return; }
  let o = index % CHANNELS;
  let c = index / CHANNELS % TRIPLES * 3u;
  let ky = index / (CHANNELS * TRIPLES) % KERNEL_HEIGHT;
  let chunk = index / (CHANNELS * TRIPLES * KERNEL_HEIGHT);
  var a0 = vec4f();
  var a1 = vec4f();
  var a2 = vec4f();
  var b0 = vec4f();
  var b1 = vec4f();
  var b2 = vec4f();
  var c0 = vec4f();
  var c1 = vec4f();
  var c2 = vec4f();
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
      b0 += s1.x * d;
      b1 += s1.y * d;
      b2 += s1.z * d;
      c0 += s2.x * d;
      c1 += s2.y * d;
      c2 += s2.z * d;
      s0 = s1;
      s1 = s2;
    }
  }
  let tap = SOURCE_CHANNELS * CHANNELS;
  let at = (chunk * KERNEL_HEIGHT + ky) * 3u * tap + c * CHANNELS + o;
  partials[at] = a0;
  partials[at + tap] = b0;
  partials[at + 2u * tap] = c0;
  if (c + 1u < SOURCE_CHANNELS) {
    partials[at + CHANNELS] = a1;
    partials[at + tap + CHANNELS] = b1;
    partials[at + 2u * tap + CHANNELS] = c1;
  }
  if (c + 2u < SOURCE_CHANNELS) {
    partials[at + 2u * CHANNELS] = a2;
    partials[at + tap + 2u * CHANNELS] = b2;
    partials[at + 2u * tap + 2u * CHANNELS] = c2;
  }
}
