// y[n] = 1 where the first maximum of logits[n, ·] is at labels[n], else 0; one invocation a row.
override N: u32 = 1u;
override K: u32 = 4u;

@group(0) @binding(0) var<storage, read> logits: array<f32>;
@group(0) @binding(1) var<storage, read> labels: array<u32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;

fn epilogue(at: u32, value: f32) -> f32 { return value; }

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let index = (group.y * groups.x + group.x) * 64u + lane;
  if (index >= N) { return; }
  let row = index * K;
  var best = 0u;
  for (var k = 1u; k < K; k++) {
    if (logits[row + k] > logits[row + best]) { best = k; }
  }
  y[index] = epilogue(index, select(0.0, 1.0, best == labels[index]));
}
