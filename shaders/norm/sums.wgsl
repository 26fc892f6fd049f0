// sums[0, n, c] = Σ_p dy · x̂ and sums[1, n, c] = Σ_p dy[n, p, c], with x̂ the normalised x and 0 for c from C to PITCH; one
// invocation a channel.
override N: u32 = 1u;
override P: u32 = 1u;
override C: u32 = 4u;
override PITCH: u32 = C; // other than C for N = 1 only
override GROUPS: u32 = 1u;
override EPSILON: f32 = 1e-5;

@group(0) @binding(0) var<storage, read> dy: array<f32>;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read> stats: array<f32>;
@group(0) @binding(3) var<storage, read_write> sums: array<f32>;

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let index = (group.y * groups.x + group.x) * 64u + lane;
  if (index < PITCH - C) {
    sums[C + index] = 0.0;
    sums[PITCH + C + index] = 0.0;
  }
  if (index >= N * C) { return; }
  let n = index / C;
  let c = index % C;
  let at = n * GROUPS + c / (C / GROUPS);
  let mean = stats[at];
  var plain = 0.0;
  var scaled = 0.0;
  for (var p = 0u; p < P; p++) {
    let i = (n * P + p) * C + c;
    plain += dy[i];
    scaled += dy[i] * (x[i] - mean);
  }
  sums[n * PITCH + c] = scaled * inverseSqrt(stats[N * GROUPS + at] + EPSILON);
  sums[(N + n) * PITCH + c] = plain;
}
