// norms[g] = sqrt(Σ squares[b]) over the blocks of group g: one workgroup a group, a fixed tree over 64 lanes.
override BLOCKS: u32 = 1u;

@group(0) @binding(0) var<storage, read> blocks: array<u32>;
@group(0) @binding(1) var<storage, read> squares: array<f32>;
@group(0) @binding(2) var<storage, read_write> norms: array<f32>;

var<workgroup> partial: array<f32, 64>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  var total = 0.0;
  for (var b = lane; b < BLOCKS; b += 64u) {
    if ((blocks[b] & 0xffffu) == group.x && blocks[b] != 0xffffffffu) { total += squares[b]; }
  }
  partial[lane] = total;
  for (var width = 32u; width > 0u; width /= 2u) {
    workgroupBarrier();
    if (lane < width) { partial[lane] += partial[lane + width]; }
  }
  if (lane == 0u) { norms[group.x] = sqrt(partial[0]); }
}
