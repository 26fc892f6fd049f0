// sums.wgsl by vec4s of channels and chunks of rows: sums[0 or 1, n, s, c] over the rows of chunk s.
override N: u32 = 1u;
override P: u32 = 1u;
override C: u32 = 1u; // vec4s
override PITCH: u32 = C; // vec4s
override GROUPS: u32 = 1u;
override CHUNKS: u32 = 1u;
override CHUNK: u32 = 1u;
override EPSILON: f32 = 1e-5;

@group(0) @binding(0) var<storage, read> dy: array<vec4f>;
@group(0) @binding(1) var<storage, read> x: array<vec4f>;
@group(0) @binding(2) var<storage, read> stats: array<f32>;
@group(0) @binding(3) var<storage, read_write> sums: array<vec4f>;

fn statsAt(at: vec4u) -> vec4f { return vec4f(stats[at.x], stats[at.y], stats[at.z], stats[at.w]); }

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let index = (group.y * groups.x + group.x) * 64u + lane;
  if (index >= N * CHUNKS * C) { return; }
  let c = index % C;
  let n = index / (C * CHUNKS);
  let first = index / C % CHUNKS * CHUNK;
  let end = min(first + CHUNK, P);
  let at = n * GROUPS + (4u * c + vec4u(0u, 1u, 2u, 3u)) / (4u * C / GROUPS);
  let mean = statsAt(at);
  var plain = vec4f(0.0);
  var scaled = vec4f(0.0);
  for (var p = first; p < end; p++) {
    let i = (n * P + p) * C + c;
    let slope = dy[i];
    plain += slope;
    scaled += slope * (x[i] - mean);
  }
  let slot = index / C;
  sums[slot * PITCH + c] = scaled * inverseSqrt(statsAt(N * GROUPS + at) + EPSILON);
  sums[(N * CHUNKS + slot) * PITCH + c] = plain;
  for (var k = C + c; k < PITCH; k += C) {
    sums[slot * PITCH + k] = vec4f();
    sums[(N * CHUNKS + slot) * PITCH + k] = vec4f();
  }
}
