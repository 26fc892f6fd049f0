// input_gradient.wgsl by vec4s of channels; one invocation takes the rows chunk, chunk + CHUNKS, …, ROWS at a
// time.
override N: u32 = 1u;
override P: u32 = 1u;
override C: u32 = 1u; // vec4s
override GROUPS: u32 = 1u;
override PITCH: u32 = 4u * C; // of the sums
override CHUNKS: u32 = 1u;
override ROWS: u32 = 1u;
override WHOLE: bool = false; // CHUNKS · ROWS divides P
override EPSILON: f32 = 1e-5;

@group(0) @binding(0) var<storage, read> dy: array<vec4f>;
@group(0) @binding(1) var<storage, read> x: array<vec4f>;
@group(0) @binding(2) var<storage, read> stats: array<f32>;
@group(0) @binding(3) var<storage, read> gamma: array<f32>;
@group(0) @binding(4) var<storage, read> sums: array<f32>;
@group(0) @binding(5) var<storage, read_write> dx: array<vec4f>;

fn statsAt(at: vec4u) -> vec4f { return vec4f(stats[at.x], stats[at.y], stats[at.z], stats[at.w]); }
fn gammaAt(at: vec4u) -> vec4f { return vec4f(gamma[at.x], gamma[at.y], gamma[at.z], gamma[at.w]); }
fn sumsAt(at: vec4u) -> vec4f { return vec4f(sums[at.x], sums[at.y], sums[at.z], sums[at.w]); }

fn epilogue(at: u32, value: vec4f) -> vec4f { return value; }

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let index = (group.y * groups.x + group.x) * 64u + lane;
  if (index >= N * CHUNKS * C) { return; }
  let channels = 4u * C / GROUPS; // of one group
  let c = index % C;
  let n = index / (C * CHUNKS);
  let channel = 4u * c + vec4u(0u, 1u, 2u, 3u);
  let g = channel / channels;
  var plain = vec4f(0.0);
  var scaled = vec4f(0.0);
  if (channels == 1u) {
    scaled = gammaAt(channel) * sumsAt(n * PITCH + channel);
    plain = gammaAt(channel) * sumsAt((N + n) * PITCH + channel);
  } else if (channels % 4u == 0u) { // the four are of one group
    for (var k = g.x * channels; k < (g.x + 1u) * channels; k++) {
      scaled += gamma[k] * sums[n * PITCH + k];
      plain += gamma[k] * sums[(N + n) * PITCH + k];
    }
  } else {
    for (var k = 0u; k < channels; k++) {
      scaled += gammaAt(g * channels + k) * sumsAt(n * PITCH + g * channels + k);
      plain += gammaAt(g * channels + k) * sumsAt((N + n) * PITCH + g * channels + k);
    }
  }
  let mean = statsAt(n * GROUPS + g);
  let inverse = inverseSqrt(statsAt((N + n) * GROUPS + g) + EPSILON);
  let scale = inverse * gammaAt(channel);
  let shift = inverse * plain / f32(P * channels);
  let slope = inverse * inverse * scaled / f32(P * channels);
  for (var first = index / C % CHUNKS; first < P; first += CHUNKS * ROWS) {
    // unroll
    for (var j = 0u; j < ROWS; j++) {
      let p = first + j * CHUNKS;
      if (WHOLE || j == 0u || p < P) {
        let i = (n * P + p) * C + c;
        dx[i] = epilogue(i, scale * dy[i] - shift - slope * (x[i] - mean));
      }
    }
  }
}
