// y[n, p, c] = γ[c] · (x[n, p, c] − mean[n, g]) / sqrt(variance[n, g] + ε) + β[c], with g the group of c.
override N: u32 = 1u;
override P: u32 = 1u;
override C: u32 = 4u;
override GROUPS: u32 = 1u;
override EPSILON: f32 = 1e-5;

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> stats: array<f32>;
@group(0) @binding(2) var<storage, read> gamma: array<f32>;
@group(0) @binding(3) var<storage, read> beta: array<f32>;
@group(0) @binding(4) var<storage, read_write> y: array<f32>;

fn epilogue(at: u32, value: f32) -> f32 { return value; }

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let index = (group.y * groups.x + group.x) * 64u + lane;
  if (index >= N * P * C) { return; }
  let c = index % C;
  let at = index / (P * C) * GROUPS + c / (C / GROUPS);
  let scale = gamma[c] * inverseSqrt(stats[N * GROUPS + at] + EPSILON);
  y[index] = epilogue(index, (x[index] - stats[at]) * scale + beta[c]);
}
