// Per channel and chunk of rows: partial[0, n, s, c] = mean, partial[1, n, s, c] = Σ (x − mean)² of x[n, p, c] over the
// rows p of chunk s, in two passes. Channels by vec4s.
override N: u32 = 1u;
override P: u32 = 1u;
override C: u32 = 1u; // vec4s
override CHUNKS: u32 = 1u;
override CHUNK: u32 = 1u;

@group(0) @binding(0) var<storage, read> x: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> moments: array<vec4f>;

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let index = (group.y * groups.x + group.x) * 64u + lane;
  if (index >= N * CHUNKS * C) { return; }
  let first = index / C % CHUNKS * CHUNK;
  let end = min(first + CHUNK, P);
  let base = index / (C * CHUNKS) * P * C + index % C;
  var total = vec4f(0.0);
  for (var p = first; p < end; p++) { total += x[base + p * C]; }
  let mean = total / f32(end - first);
  var spread = vec4f(0.0);
  for (var p = first; p < end; p++) {
    let d = x[base + p * C] - mean;
    spread += d * d;
  }
  moments[index] = mean;
  moments[N * CHUNKS * C + index] = spread;
}
