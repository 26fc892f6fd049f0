// stats4.wgsl with a workgroup a group; both passes end in a tree over the lanes.
override N: u32 = 1u;
override P: u32 = 1u;
override GROUPS: u32 = 1u;
override CHANNELS: u32 = 1u; // vec4s of one group
override LANES: u32 = 256u;

@group(0) @binding(0) var<storage, read> x: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> stats: array<f32>;

var<workgroup> partial: array<f32, LANES>;

fn sumOverLanes(lane: u32, value: vec4f) -> f32 {
  workgroupBarrier();
  partial[lane] = dot(value, vec4f(1.0));
  for (var half = LANES / 2u; half > 0u; half /= 2u) {
    workgroupBarrier();
    if (lane < half) { partial[lane] += partial[lane + half]; }
  }
  workgroupBarrier();
  return partial[0];
}

@compute @workgroup_size(LANES)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let index = group.y * groups.x + group.x;
  if (index >= N * GROUPS) { return; }
  let base = index / GROUPS * P * GROUPS * CHANNELS + index % GROUPS * CHANNELS;
  let count = f32(4u * P * CHANNELS);
  var total = vec4f(0.0);
  for (var e = lane; e < P * CHANNELS; e += LANES) {
    total += x[base + e / CHANNELS * GROUPS * CHANNELS + e % CHANNELS];
  }
  let mean = sumOverLanes(lane, total) / count;
  var spread = vec4f(0.0);
  for (var e = lane; e < P * CHANNELS; e += LANES) {
    let d = x[base + e / CHANNELS * GROUPS * CHANNELS + e % CHANNELS] - mean;
    spread += d * d;
  }
  let variance = sumOverLanes(lane, spread) / count;
  if (lane == 0u) {
    stats[index] = mean;
    stats[N * GROUPS + index] = variance;
  }
}
