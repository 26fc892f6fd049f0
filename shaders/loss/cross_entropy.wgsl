// loss[n] = log Σ exp(z[n, ·]) − Σ t[k]·z[n, k], with t = (1 − SMOOTHING)·onehot(label) + SMOOTHING / K and z less its
// maximum, so that nothing overflows; one invocation a row.
override N: u32 = 1u;
override K: u32 = 4u;
override SMOOTHING: f32 = 0.0;

@group(0) @binding(0) var<storage, read> logits: array<f32>;
@group(0) @binding(1) var<storage, read> labels: array<u32>;
@group(0) @binding(2) var<storage, read_write> loss: array<f32>;

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
  let label = labels[index];
  var top = logits[row];
  for (var k = 1u; k < K; k++) { top = max(top, logits[row + k]); }
  var total = 0.0;
  var plain = 0.0;
  var aimed = 0.0;
  for (var k = 0u; k < K; k++) {
    let z = logits[row + k] - top;
    total += exp(z);
    plain += z;
    if (k == label) { aimed = z; }
  }
  loss[index] = epilogue(index, log(total) - (1.0 - SMOOTHING) * aimed - SMOOTHING / f32(K) * plain);
}
