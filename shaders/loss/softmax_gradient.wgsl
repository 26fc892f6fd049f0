// dx[n, k] = y[n, k] · (dy[n, k] − Σ dy[n, ·]·y[n, ·]), with y the softmax; one invocation a row.
override N: u32 = 1u;
override K: u32 = 4u;

@group(0) @binding(0) var<storage, read> dy: array<f32>;
@group(0) @binding(1) var<storage, read> y: array<f32>;
@group(0) @binding(2) var<storage, read_write> dx: array<f32>;

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let index = (group.y * groups.x + group.x) * 64u + lane;
  if (index >= N) { return; }
  let row = index * K;
  var total = 0.0;
  for (var k = 0u; k < K; k++) { total += dy[row + k] * y[row + k]; }
  for (var k = 0u; k < K; k++) { dx[row + k] = y[row + k] * (dy[row + k] - total); }
}
