// dlogits[n, k] = (softmax(logits[n, ·])[k] − t[k]) · dy[n], with t = (1 − SMOOTHING)·onehot(label) + SMOOTHING / K; one
// invocation a row.
override N: u32 = 1u;
override K: u32 = 4u;
override SMOOTHING: f32 = 0.0;

@group(0) @binding(0) var<storage, read> dy: array<f32>;
@group(0) @binding(1) var<storage, read> logits: array<f32>;
@group(0) @binding(2) var<storage, read> labels: array<u32>;
@group(0) @binding(3) var<storage, read_write> dlogits: array<f32>;

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
  let slope = dy[index];
  var top = logits[row];
  for (var k = 1u; k < K; k++) { top = max(top, logits[row + k]); }
  var total = 0.0;
  for (var k = 0u; k < K; k++) { total += exp(logits[row + k] - top); }
  for (var k = 0u; k < K; k++) {
    let aimed = select(0.0, 1.0 - SMOOTHING, k == label) + SMOOTHING / f32(K);
    dlogits[row + k] = epilogue(row + k, (exp(logits[row + k] - top) / total - aimed) * slope);
  }
}
