// result = SCALE · Σ loss[n], with loss as in cross_entropy.wgsl: one workgroup, whose lanes take a row at a time.
override N: u32 = 1u;
override K: u32 = 4u;
override UNROLL: u32 = 4u;
override SMOOTHING: f32 = 0.0;
override SCALE: f32 = 1.0;
override LANES: u32 = 256u;
override STEPS: u32 = 8u; // LANES = 2^STEPS

@group(0) @binding(0) var<storage, read> logits: array<f32>;
@group(0) @binding(1) var<storage, read> labels: array<u32>;
@group(0) @binding(2) var<storage, read_write> result: array<f32>;

var<workgroup> partial: array<f32, LANES>;

fn epilogue(at: u32, value: f32) -> f32 { return value; }

fn lossOf(row: u32, label: u32) -> f32 {
  var top = logits[row];
  for (var first = 0u; first < K; first += UNROLL) {
    // unroll
    for (var j = 0u; j < UNROLL; j++) { top = max(top, logits[row + min(first + j, K - 1u)]); }
  }
  var total = 0.0;
  var plain = 0.0;
  for (var first = 0u; first < K; first += UNROLL) {
    // unroll
    for (var j = 0u; j < UNROLL; j++) {
      let z = logits[row + min(first + j, K - 1u)] - top;
      total += select(0.0, exp(z), first + j < K);
      plain += select(0.0, z, first + j < K);
    }
  }
  let aimed = logits[row + min(label, K - 1u)] - top;
  return log(total) - (1.0 - SMOOTHING) * aimed - SMOOTHING / f32(K) * plain;
}

@compute @workgroup_size(LANES)
fn main(@builtin(local_invocation_index) lane: u32) {
  var total = 0.0;
  for (var n = lane; n < N; n += LANES) { total += lossOf(n * K, labels[n]); }
  partial[lane] = total;
  // unroll
  for (var step = 0u; step < STEPS; step++) {
    let half = LANES >> (step + 1u);
    workgroupBarrier();
    if (lane < half) {
      total += partial[lane + half];
      partial[lane] = total;
    }
  }
  if (lane == 0u) { result[0] = epilogue(0u, SCALE * total); }
}
