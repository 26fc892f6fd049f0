// y[i] = random word i of (seed, STREAM, step), with key = (seed, step); one invocation for four words.
override SIZE: u32 = 4u;
override STREAM: u32 = 0u;

@group(0) @binding(0) var<storage, read> key: array<u32>;
@group(0) @binding(1) var<storage, read_write> y: array<u32>;

fn multiplyHigh(a: u32, b: u32) -> u32 {
  let middle = (a >> 16u) * (b & 0xffffu) + (((a & 0xffffu) * (b & 0xffffu)) >> 16u);
  let cross = (a & 0xffffu) * (b >> 16u) + (middle & 0xffffu);
  return (a >> 16u) * (b >> 16u) + (middle >> 16u) + (cross >> 16u);
}

// Philox 4x32-10, as src/util/philox.ts.
fn philox(start: vec4u, startKey: vec2u) -> vec4u {
  var c = start;
  var k = startKey;
  for (var round = 0u; round < 10u; round++) {
    c = vec4u(
      multiplyHigh(0xcd9e8d57u, c.z) ^ c.y ^ k.x,
      0xcd9e8d57u * c.z,
      multiplyHigh(0xd2511f53u, c.x) ^ c.w ^ k.y,
      0xd2511f53u * c.x,
    );
    k += vec2u(0x9e3779b9u, 0xbb67ae85u);
  }
  return c;
}

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let index = (group.y * groups.x + group.x) * 64u + lane;
  if (4u * index >= SIZE) { return; }
  let words = philox(vec4u(index, key[1], 0u, 0u), vec2u(key[0], STREAM));
  for (var j = 0u; j < min(4u, SIZE - 4u * index); j++) { y[4u * index + j] = words[j]; }
}
