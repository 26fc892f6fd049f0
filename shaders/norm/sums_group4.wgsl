// sums4.wgsl with workgroups of WIDTH channels (vec4s) by LANES / WIDTH rows, of which a lane takes BATCH at a time; it
// ends in a tree over the lanes. WHOLE: no chunk ends within a batch.
override N: u32 = 1u;
override P: u32 = 1u;
override C: u32 = 1u; // vec4s
override PITCH: u32 = C; // vec4s, fewer than LANES above C
override GROUPS: u32 = 1u;
override CHUNKS: u32 = 1u;
override CHUNK: u32 = 1u;
override LANES: u32 = 256u;
override WIDTH: u32 = 1u;
override STEPS: u32 = 8u; // LANES / WIDTH = 2^STEPS
override HEIGHT: u32 = LANES / WIDTH;
override WHOLE: bool = false;
override EPSILON: f32 = 1e-5;
const BATCH: u32 = 4u;

@group(0) @binding(0) var<storage, read> dy: array<vec4f>;
@group(0) @binding(1) var<storage, read> x: array<vec4f>;
@group(0) @binding(2) var<storage, read> stats: array<f32>;
@group(0) @binding(3) var<storage, read_write> sums: array<vec4f>;

var<workgroup> plainPartial: array<vec4f, LANES>;
var<workgroup> scaledPartial: array<vec4f, LANES>;

fn statsAt(at: vec4u) -> vec4f { return vec4f(stats[at.x], stats[at.y], stats[at.z], stats[at.w]); }

@compute @workgroup_size(LANES)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let tile = group.y * groups.x + group.x;
  let blocks = (C + WIDTH - 1u) / WIDTH;
  if (tile >= N * CHUNKS * blocks) { return; }
  let slot = tile / blocks; // n · CHUNKS + s
  let n = slot / CHUNKS;
  let column = tile % blocks * WIDTH + lane % WIDTH;
  let c = min(column, C - 1u);
  let row = lane / WIDTH;
  let first = slot % CHUNKS * CHUNK;
  let end = min(first + CHUNK, P);
  let at = n * GROUPS + (4u * c + vec4u(0u, 1u, 2u, 3u)) / (4u * C / GROUPS);
  let mean = statsAt(at);
  var plain = vec4f(0.0);
  var scaled = vec4f(0.0);
  for (var start = first + row; start < end; start += BATCH * HEIGHT) {
    // unroll
    for (var j = 0u; j < BATCH; j++) {
      let p = start + j * HEIGHT;
      let i = (n * P + select(min(p, end - 1u), p, WHOLE)) * C + c;
      let slope = select(vec4f(), dy[i], WHOLE || p < end);
      plain += slope;
      scaled += slope * (x[i] - mean);
    }
  }
  plainPartial[lane] = plain;
  scaledPartial[lane] = scaled;
  // unroll
  for (var step = 0u; step < STEPS; step++) {
    let half = HEIGHT >> (step + 1u);
    workgroupBarrier();
    if (row < half) {
      plain += plainPartial[lane + half * WIDTH];
      scaled += scaledPartial[lane + half * WIDTH];
      plainPartial[lane] = plain;
      scaledPartial[lane] = scaled;
    }
  }
  if (row == 0u && column < C) {
    sums[slot * PITCH + column] = scaled * inverseSqrt(statsAt(N * GROUPS + at) + EPSILON);
    sums[(N * CHUNKS + slot) * PITCH + column] = plain;
  }
  if (tile % blocks == 0u && lane < PITCH - C) {
    sums[slot * PITCH + C + lane] = vec4f();
    sums[(N * CHUNKS + slot) * PITCH + C + lane] = vec4f();
  }
}
