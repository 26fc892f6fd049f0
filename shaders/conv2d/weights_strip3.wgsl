// weights_plain.wgsl for kernels three wide, stride 1, without groups, on machines without fast shared memory: an invocation
// keeps 3 taps × 4 source channels × 4 · BLOCKS channels in registers and takes four pixels along x at a time. Channel counts are in vec4s.
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
override BLOCKS: u32 = 1u; // a divisor of CHANNELS, at most MOST_BLOCKS
override GROUPS: u32 = CHANNELS / BLOCKS;

const MOST_BLOCKS = 2u;

@group(0) @binding(0) var<storage, read> source: array<vec4f>;
@group(0) @binding(1) var<storage, read> dy: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> partials: array<vec4f>;

fn load(row: u32, x: u32, c: u32) -> vec4f {
  let value = source[(row + min(x, SOURCE_WIDTH - 1u)) * SOURCE_CHANNELS + c];
  return select(vec4f(), value, x < SOURCE_WIDTH);
}

fn loadSlope(row: u32, x: u32, o: u32) -> vec4f {
  let value = dy[(row * WIDTH + min(x, WIDTH - 1u)) * CHANNELS + o];
  return select(vec4f(), value, x < WIDTH);
}

@compute @workgroup_size(32)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let index = (group.y * groups.x + group.x) * 32u + lane;
  if (index >= CHUNKS * KERNEL_HEIGHT * SOURCE_CHANNELS * GROUPS) { return; }
  let o = index % GROUPS * BLOCKS;
  let c = index / GROUPS % SOURCE_CHANNELS;
  let ky = index / (GROUPS * SOURCE_CHANNELS) % KERNEL_HEIGHT;
  let chunk = index / (GROUPS * SOURCE_CHANNELS * KERNEL_HEIGHT);
  var sums: array<array<vec4f, 12>, MOST_BLOCKS>; // of a block by tap and source channel
  let first = chunk * ROWS_PER_CHUNK;
  for (var row = first; row < min(first + ROWS_PER_CHUNK, BATCH * HEIGHT); row++) {
    let sy = row % HEIGHT + ky - PADDING;
    if (sy >= SOURCE_HEIGHT) { continue; }
    let sourceRow = (row / HEIGHT * SOURCE_HEIGHT + sy) * SOURCE_WIDTH;
    var s: array<vec4f, 6>;
    s[0] = load(sourceRow, 0u - PADDING, c);
    s[1] = load(sourceRow, 1u - PADDING, c);
    for (var x = 0u; x < WIDTH; x += 4u) {
      // unroll
      for (var p = 0u; p < 4u; p++) {
        s[p + 2u] = load(sourceRow, x + p + 2u - PADDING, c);
      }
      // unroll
      for (var j = 0u; j < BLOCKS; j++) {
        let d0 = loadSlope(row, x, o + j);
        let d1 = loadSlope(row, x + 1u, o + j);
        let d2 = loadSlope(row, x + 2u, o + j);
        let d3 = loadSlope(row, x + 3u, o + j);
        // unroll
        for (var t = 0u; t < 3u; t++) {
          // unroll
          for (var i = 0u; i < 4u; i++) {
            sums[j][4u * t + i] += s[t][i] * d0 + s[t + 1u][i] * d1 + s[t + 2u][i] * d2 + s[t + 3u][i] * d3;
          }
        }
      }
      s[0] = s[4];
      s[1] = s[5];
    }
  }
  let at = ((chunk * KERNEL_HEIGHT + ky) * 3u * SOURCE_CHANNELS + c) * 4u * CHANNELS + o;
  // unroll
  for (var j = 0u; j < BLOCKS; j++) {
    // unroll
    for (var t = 0u; t < 3u; t++) {
      // unroll
      for (var i = 0u; i < 4u; i++) {
        partials[at + (4u * t * SOURCE_CHANNELS + i) * CHANNELS + j] = sums[j][4u * t + i];
      }
    }
  }
}
