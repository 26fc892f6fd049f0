// The elements of up to four tensors one after the other, bit for bit, of any dtype: tensor k starts at START_k.
override SIZE: u32 = 1u;
override START_1: u32 = 1u;
override START_2: u32 = 1u;
override START_3: u32 = 1u;

@group(0) @binding(0) var<storage, read> x0: array<u32>;
@group(0) @binding(1) var<storage, read> x1: array<u32>;
@group(0) @binding(2) var<storage, read> x2: array<u32>;
@group(0) @binding(3) var<storage, read> x3: array<u32>;
@group(0) @binding(4) var<storage, read_write> y: array<u32>;

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let index = (group.y * groups.x + group.x) * 64u + lane;
  if (index >= SIZE) { return; }
  if (index < START_1) { y[index] = x0[index]; }
  else if (index < START_2) { y[index] = x1[index - START_1]; }
  else if (index < START_3) { y[index] = x2[index - START_2]; }
  else { y[index] = x3[index - START_3]; }
}
