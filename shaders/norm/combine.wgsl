// Merges moments[·, n, s, c] over the chunks s and the channels c of group g into stats[·, n, g] (Chan, Golub & LeVeque
// 1983): mean = Σ m·mean / Σ m; variance = Σ (spread + m·(mean − total mean)²) / Σ m, with m the rows of the chunk.
override N: u32 = 1u;
override P: u32 = 1u;
override GROUPS: u32 = 1u;
override CHANNELS: u32 = 4u; // of one group
override CHUNKS: u32 = 1u;
override CHUNK: u32 = 1u;

@group(0) @binding(0) var<storage, read> moments: array<f32>;
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
  let row = GROUPS * CHANNELS;
  let base = index / GROUPS * CHUNKS * row + index % GROUPS * CHANNELS;
  let count = f32(P * CHANNELS);
  var total = 0.0;
  for (var s = 0u; s < CHUNKS; s++) {
    let rows = f32(min(CHUNK, P - s * CHUNK));
    for (var k = 0u; k < CHANNELS; k++) { total += rows * moments[base + s * row + k]; }
  }
  let mean = total / count;
  var spread = 0.0;
  for (var s = 0u; s < CHUNKS; s++) {
    let rows = f32(min(CHUNK, P - s * CHUNK));
    for (var k = 0u; k < CHANNELS; k++) {
      let d = moments[base + s * row + k] - mean;
      spread += moments[N * CHUNKS * row + base + s * row + k] + rows * d * d;
    }
  }
  stats[index] = epilogue(index, mean);
  stats[N * GROUPS + index] = epilogue(N * GROUPS + index, spread / count);
}
