// Lookahead (Zhang et al. 2019): where a group's share is not 0, the slow parameters take in so much of the fast ones, which
// go on from there: slow += share·(fast − slow); fast = slow. `blocks` as in sgd.wgsl.
override COUNT4: u32 = 16u;

const FREE = 0xffffffffu;

@group(0) @binding(0) var<storage, read> blocks: array<u32>;
@group(0) @binding(1) var<storage, read> shares: array<f32>;
@group(0) @binding(2) var<storage, read_write> fast: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> slow: array<vec4f>;

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) extent: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let i = (group.y * extent.x + group.x) * 64u + lane;
  if (i >= COUNT4) { return; }
  let block = blocks[i / 16u];
  if (block == FREE) { return; }
  let share = shares[block & 0xffffu];
  if (share == 0.0) { return; }
  let taken = slow[i] + share * (fast[i] - slow[i]);
  slow[i] = taken;
  fast[i] = taken;
}
