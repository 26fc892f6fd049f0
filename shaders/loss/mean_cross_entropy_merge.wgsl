// Adds up, in place, the pairs that GROUPS (32 at most) workgroups of mean_cross_entropy.wgsl left: result[0] and result[1]
// are their sums, and what follows up to number 64 is 0.
override GROUPS: u32 = 32u;

@group(0) @binding(0) var<storage, read_write> result: array<f32>;

var<workgroup> partial: array<vec2f, 64>;

@compute @workgroup_size(64)
fn main(@builtin(local_invocation_index) lane: u32) {
  var sums = vec2f();
  if (lane < GROUPS) { sums = vec2f(result[2u * lane], result[2u * lane + 1u]); }
  partial[lane] = sums;
  storageBarrier();
  // unroll
  for (var step = 0u; step < 5u; step++) {
    let half = 16u >> step;
    workgroupBarrier();
    if (lane < half) {
      sums += partial[lane + half];
      partial[lane] = sums;
    }
  }
  workgroupBarrier();
  result[lane] = select(select(0.0, partial[0].y, lane == 1u), partial[0].x, lane == 0u);
}
