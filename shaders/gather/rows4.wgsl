// y[n, f] = table[min(indices[n], ROWS − 1), f], of any dtype by vec4s.
override N: u32 = 1u;
override ROWS: u32 = 1u;
override F: u32 = 1u;

@group(0) @binding(0) var<storage, read> rows: array<vec4u>;
@group(0) @binding(1) var<storage, read> indices: array<u32>;
@group(0) @binding(2) var<storage, read_write> y: array<vec4u>;

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let index = (group.y * groups.x + group.x) * 64u + lane;
  if (index >= N * F) { return; }
  y[index] = rows[min(indices[index / F], ROWS - 1u) * F + index % F];
}
