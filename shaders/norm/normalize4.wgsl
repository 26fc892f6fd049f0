// normalize.wgsl by vec4s of channels; one invocation takes the rows chunk, chunk + CHUNKS, …, ROWS at a time.
override N: u32 = 1u;
override P: u32 = 1u;
override C: u32 = 1u; // vec4s
override GROUPS: u32 = 1u;
override CHUNKS: u32 = 1u;
override ROWS: u32 = 1u;
override WHOLE: bool = false; // CHUNKS · ROWS divides P
override EPSILON: f32 = 1e-5;

@group(0) @binding(0) var<storage, read> x: array<vec4f>;
@group(0) @binding(1) var<storage, read> stats: array<f32>;
@group(0) @binding(2) var<storage, read> gamma: array<vec4f>;
@group(0) @binding(3) var<storage, read> beta: array<vec4f>;
@group(0) @binding(4) var<storage, read_write> y: array<vec4f>;

fn statsAt(at: vec4u) -> vec4f { return vec4f(stats[at.x], stats[at.y], stats[at.z], stats[at.w]); }

fn epilogue(at: u32, value: vec4f) -> vec4f { return value; }

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let index = (group.y * groups.x + group.x) * 64u + lane;
  if (index >= N * CHUNKS * C) { return; }
  let c = index % C;
  let n = index / (C * CHUNKS);
  let at = n * GROUPS + (4u * c + vec4u(0u, 1u, 2u, 3u)) / (4u * C / GROUPS);
  let mean = statsAt(at);
  let scale = gamma[c] * inverseSqrt(statsAt(N * GROUPS + at) + EPSILON);
  let shift = beta[c];
  for (var first = index / C % CHUNKS; first < P; first += CHUNKS * ROWS) {
    // unroll
    for (var j = 0u; j < ROWS; j++) {
      let p = first + j * CHUNKS;
      if (WHOLE || j == 0u || p < P) {
        let i = (n * P + p) * C + c;
        y[i] = epilogue(i, (x[i] - mean) * scale + shift);
      }
    }
  }
}
