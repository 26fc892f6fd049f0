// stats.wgsl by vec4s: CHANNELS counts the vec4s of one group.
override N: u32 = 1u;
override P: u32 = 1u;
override GROUPS: u32 = 1u;
override CHANNELS: u32 = 1u;

@group(0) @binding(0) var<storage, read> x: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> stats: array<f32>;

fn epilogue(at: u32, value: f32) -> f32 { return value; }

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let index = (group.y * groups.x + group.x) * 64u + lane;
  if (index >= N * GROUPS) { return; }
  let base = index / GROUPS * P * GROUPS * CHANNELS + index % GROUPS * CHANNELS;
  let count = f32(4u * P * CHANNELS);
  var total = vec4f(0.0);
  for (var p = 0u; p < P; p++) {
    for (var k = 0u; k < CHANNELS; k++) { total += x[base + p * GROUPS * CHANNELS + k]; }
  }
  let mean = dot(total, vec4f(1.0)) / count;
  var spread = vec4f(0.0);
  for (var p = 0u; p < P; p++) {
    for (var k = 0u; k < CHANNELS; k++) {
      let d = x[base + p * GROUPS * CHANNELS + k] - mean;
      spread += d * d;
    }
  }
  stats[index] = epilogue(index, mean);
  stats[N * GROUPS + index] = epilogue(N * GROUPS + index, dot(spread, vec4f(1.0)) / count);
}
