// y[n, k] = exp(x[n, k] − max) / Σ exp(x[n, ·] − max); one invocation a row.
override N: u32 = 1u;
override K: u32 = 4u;

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let index = (group.y * groups.x + group.x) * 64u + lane;
  if (index >= N) { return; }
  let row = index * K;
  var top = x[row];
  for (var k = 1u; k < K; k++) { top = max(top, x[row + k]); }
  var total = 0.0;
  for (var k = 0u; k < K; k++) { total += exp(x[row + k] - top); }
  for (var k = 0u; k < K; k++) { y[row + k] = exp(x[row + k] - top) / total; }
}
