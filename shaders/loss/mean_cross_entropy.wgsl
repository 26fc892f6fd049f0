// Of logits [N, K] and their labels: mean loss, share of rows whose first maximum is at the label, and from number 64 of
// the result on dlogits[n, k] = (softmax(logits[n, ·])[k] − t[k]) · cotangent / N, the gradient of that loss, where
// t = (1 − SMOOTHING)·onehot(label) + SMOOTHING / K. WIDTH lanes take a row; each workgroup leaves its two sums at its own
// place of the first 64 numbers.
override N: u32 = 1u;
override K: u32 = 4u;
override SMOOTHING: f32 = 0.0;
override SCALED: u32 = 0u; // 0: the cotangent is 1, and its binding not looked at
override GROUPS: u32 = 1u;
override LANES: u32 = 64u;
override STEPS: u32 = 6u; // LANES = 2^STEPS
override WIDTH: u32 = 1u;
override WIDTH_STEPS: u32 = 0u; // WIDTH = 2^WIDTH_STEPS
override UNROLL: u32 = 4u;

@group(0) @binding(0) var<storage, read> logits: array<f32>;
@group(0) @binding(1) var<storage, read> labels: array<u32>;
@group(0) @binding(2) var<storage, read> cotangent: array<f32>;
@group(0) @binding(3) var<storage, read_write> result: array<f32>;

var<workgroup> partial: array<vec2f, LANES>;

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let column = lane % WIDTH;
  let factor = select(1.0, cotangent[0], SCALED == 1u) / f32(N);
  var sums = vec2f();
  for (var begin = group.x * (LANES / WIDTH); begin < N; begin += GROUPS * (LANES / WIDTH)) {
    let n = begin + lane / WIDTH;
    let row = min(n, N - 1u) * K;
    let label = min(labels[min(n, N - 1u)], K - 1u);
    let aimed = logits[row + label];
    // The maximum, and whether another class than the label is the first one there.
    var top = vec2f(aimed, 0.0);
    for (var first = column; first < K; first += UNROLL * WIDTH) {
      // unroll
      for (var j = 0u; j < UNROLL; j++) {
        let k = min(first + j * WIDTH, K - 1u);
        let z = logits[row + k];
        top = max(top, vec2f(z, select(0.0, 1.0, z > aimed || (z == aimed && k < label))));
      }
    }
    // unroll
    for (var step = 0u; step < WIDTH_STEPS; step++) {
      partial[lane] = top;
      workgroupBarrier();
      top = max(top, partial[lane ^ (1u << step)]);
      workgroupBarrier();
    }
    // Σ exp z and Σ z, where z is less its maximum, so that nothing overflows.
    var total = vec2f();
    for (var first = column; first < K; first += UNROLL * WIDTH) {
      // unroll
      for (var j = 0u; j < UNROLL; j++) {
        let k = first + j * WIDTH;
        let z = logits[row + min(k, K - 1u)] - top.x;
        total += select(vec2f(), vec2f(exp(z), z), k < K);
      }
    }
    // unroll
    for (var step = 0u; step < WIDTH_STEPS; step++) {
      partial[lane] = total;
      workgroupBarrier();
      total += partial[lane ^ (1u << step)];
      workgroupBarrier();
    }
    for (var first = column; first < K; first += UNROLL * WIDTH) {
      // unroll
      for (var j = 0u; j < UNROLL; j++) {
        let k = first + j * WIDTH;
        if (k < K && n < N) {
          let wanted = select(0.0, 1.0 - SMOOTHING, k == label) + SMOOTHING / f32(K);
          result[64u + row + k] = (exp(logits[row + k] - top.x) / total.x - wanted) * factor;
        }
      }
    }
    let loss = log(total.x) - (1.0 - SMOOTHING) * (aimed - top.x) - SMOOTHING / f32(K) * total.y;
    sums += select(vec2f(), vec2f(loss, 1.0 - top.y), column == 0u && n < N);
  }
  partial[lane] = sums;
  // unroll
  for (var step = 0u; step < STEPS; step++) {
    let half = LANES >> (step + 1u);
    workgroupBarrier();
    if (lane < half) {
      sums += partial[lane + half];
      partial[lane] = sums;
    }
  }
  if (lane == 0u) {
    result[2u * group.x] = sums.x / f32(N);
    result[2u * group.x + 1u] = sums.y / f32(N);
  }
  if (GROUPS == 1u && lane > 1u && lane < 64u) { result[lane] = 0.0; }
}
