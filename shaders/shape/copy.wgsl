// y[TO + Σ i_d·TO_STRIDE_d] = x[FROM + Σ i_d·STRIDE_d] for all i in SIZE_0 × … × SIZE_4, bit for bit, of any dtype.
override SIZE_0: u32 = 1u;
override SIZE_1: u32 = 1u;
override SIZE_2: u32 = 1u;
override SIZE_3: u32 = 1u;
override SIZE_4: u32 = 1u;
override FROM: u32 = 0u;
override STRIDE_0: u32 = 0u;
override STRIDE_1: u32 = 0u;
override STRIDE_2: u32 = 0u;
override STRIDE_3: u32 = 0u;
override STRIDE_4: u32 = 1u;
override TO: u32 = 0u;
override TO_STRIDE_0: u32 = 0u;
override TO_STRIDE_1: u32 = 0u;
override TO_STRIDE_2: u32 = 0u;
override TO_STRIDE_3: u32 = 0u;
override TO_STRIDE_4: u32 = 1u;

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
  let i4 = index % SIZE_4;
  let i3 = index / SIZE_4 % SIZE_3;
  let i2 = index / (SIZE_4 * SIZE_3) % SIZE_2;
  let i1 = index / (SIZE_4 * SIZE_3 * SIZE_2) % SIZE_1;
  let i0 = index / (SIZE_4 * SIZE_3 * SIZE_2 * SIZE_1);
  y[TO + i0 * TO_STRIDE_0 + i1 * TO_STRIDE_1 + i2 * TO_STRIDE_2 + i3 * TO_STRIDE_3 + i4 * TO_STRIDE_4] =
    x[FROM + i0 * STRIDE_0 + i1 * STRIDE_1 + i2 * STRIDE_2 + i3 * STRIDE_3 + i4 * STRIDE_4];
}
