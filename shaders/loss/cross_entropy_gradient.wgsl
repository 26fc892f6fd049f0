// dlogits[n, k] = SCALE · (softmax(logits[n, ·])[k] − t[k]), with t = (1 − SMOOTHING)·onehot(label) + SMOOTHING / K; one
// invocation a row, which takes UNROLL classes at a time.
override N: u32 = 1u;
override K: u32 = 4u;
override UNROLL: u32 = 4u;
override SMOOTHING: f32 = 0.0;
override SCALE: f32 = 1.0;

@group(0) @binding(0) var<storage, read> logits: array<f32>;
@group(0) @binding(1) var<storage, read> labels: array<u32>;
@group(0) @binding(2) var<storage, read_write> dlogits: array<f32>;

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
  for (var first = 0u; first < K; first += UNROLL) {
    // unroll
    for (var j = 0u; j < UNROLL; j++) { top = max(top, logits[row + min(first + j, K - 1u)]); }
  }
  var total = 0.0;
  for (var first = 0u; first < K; first += UNROLL) {
    // unroll
    for (var j = 0u; j < UNROLL; j++) {
      let share = exp(logits[row + min(first + j, K - 1u)] - top);
      total += select(0.0, share, first + j < K);
    }
  }
  for (var first = 0u; first < K; first += UNROLL) {
    // unroll
    for (var j = 0u; j < UNROLL; j++) {
      let k = first + j;
      if (k < K) {
        let aimed = select(0.0, 1.0 - SMOOTHING, k == label) + SMOOTHING / f32(K);
        dlogits[row + k] = epilogue(row + k, (exp(logits[row + k] - top) / total - aimed) * SCALE);
      }
    }
  }
}
