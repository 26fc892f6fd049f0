// y[b, m, n] = Σ_k a[b, m, k] · b[b, k, n] for any shape: one invocation a result. a is stored [K, M] if TRANSPOSE_A,
// b [N, K] if TRANSPOSE_B.
override BATCH: u32 = 1u;
override M: u32 = 1u;
override N: u32 = 1u;
override K: u32 = 1u;
override TRANSPOSE_A: bool = false;
override TRANSPOSE_B: bool = false;

@group(0) @binding(0) var<storage, read> a: array<f32>;
@group(0) @binding(1) var<storage, read> b: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;

fn epilogue(at: u32, value: f32) -> f32 { return value; }

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let index = (group.y * groups.x + group.x) * 64u + lane;
  if (index >= BATCH * M * N) { return; }
  let n = index % N;
  let m = index / N % M;
  let batch = index / (N * M);
  let aStep = select(1u, M, TRANSPOSE_A);
  let bStep = select(N, 1u, TRANSPOSE_B);
  var aAt = batch * M * K + select(m * K, m, TRANSPOSE_A);
  var bAt = batch * K * N + select(n, n * K, TRANSPOSE_B);
  var total = 0.0;
  for (var k = 0u; k < K; k++) {
    total += a[aAt] * b[bAt];
    aAt += aStep;
    bAt += bStep;
  }
  y[index] = epilogue(index, total);
}
