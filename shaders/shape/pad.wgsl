// y[i] = x[i − BEFORE] inside x (IN_0 × … × IN_4) and 0 around it, for all i in SIZE_0 × … × SIZE_4, of any dtype.
override SIZE_0: u32 = 1u;
override SIZE_1: u32 = 1u;
override SIZE_2: u32 = 1u;
override SIZE_3: u32 = 1u;
override SIZE_4: u32 = 1u;
override IN_0: u32 = 1u;
override IN_1: u32 = 1u;
override IN_2: u32 = 1u;
override IN_3: u32 = 1u;
override IN_4: u32 = 1u;
override BEFORE_0: u32 = 0u;
override BEFORE_1: u32 = 0u;
override BEFORE_2: u32 = 0u;
override BEFORE_3: u32 = 0u;
override BEFORE_4: u32 = 0u;

@group(0) @binding(0) var<storage, read> x: array<u32>;
@group(0) @binding(1) var<storage, read_write> y: array<u32>;

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let index = (group.y * groups.x + group.x) * 64u + lane;
  if (index >= SIZE_0 * SIZE_1 * SIZE_2 * SIZE_3 * SIZE_4) { return; }
  // Before the start, the difference wraps to a large number.
  let i4 = index % SIZE_4 - BEFORE_4;
  let i3 = index / SIZE_4 % SIZE_3 - BEFORE_3;
  let i2 = index / (SIZE_4 * SIZE_3) % SIZE_2 - BEFORE_2;
  let i1 = index / (SIZE_4 * SIZE_3 * SIZE_2) % SIZE_1 - BEFORE_1;
  let i0 = index / (SIZE_4 * SIZE_3 * SIZE_2 * SIZE_1) - BEFORE_0;
  var value = u32(0u);
  if (i0 < IN_0 && i1 < IN_1 && i2 < IN_2 && i3 < IN_3 && i4 < IN_4) {
    value = x[(((i0 * IN_1 + i1) * IN_2 + i2) * IN_3 + i3) * IN_4 + i4];
  }
  y[index] = value;
}
