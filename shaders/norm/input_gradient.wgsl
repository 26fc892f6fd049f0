// dx = (γ·dy − (Σ γ·dy + x̂ · Σ γ·dy·x̂) / m) / sqrt(variance + ε), both sums over the m elements of the group; `sums`
// holds Σ_p dy·x̂ and Σ_p dy per channel (Ioffe & Szegedy 2015, section 3, for groups of any extent).
override N: u32 = 1u;
override P: u32 = 1u;
override C: u32 = 4u;
override GROUPS: u32 = 1u;
override PITCH: u32 = C; // of the sums
override EPSILON: f32 = 1e-5;

@group(0) @binding(0) var<storage, read> dy: array<f32>;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read> stats: array<f32>;
@group(0) @binding(3) var<storage, read> gamma: array<f32>;
@group(0) @binding(4) var<storage, read> sums: array<f32>;
@group(0) @binding(5) var<storage, read_write> dx: array<f32>;

fn epilogue(at: u32, value: f32) -> f32 { return value; }

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let index = (group.y * groups.x + group.x) * 64u + lane;
  if (index >= N * P * C) { return; }
  let channels = C / GROUPS;
  let n = index / (P * C);
  let c = index % C;
  let g = c / channels;
  var plain = 0.0;
  var scaled = 0.0;
  for (var k = g * channels; k < (g + 1u) * channels; k++) {
    scaled += gamma[k] * sums[n * PITCH + k];
    plain += gamma[k] * sums[(N + n) * PITCH + k];
  }
  let inverse = inverseSqrt(stats[(N + n) * GROUPS + g] + EPSILON);
  let normal = (x[index] - stats[n * GROUPS + g]) * inverse;
  dx[index] = epilogue(index, inverse * (gamma[c] * dy[index] - (plain + normal * scaled) / f32(P * channels)));
}
