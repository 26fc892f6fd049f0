// moments4.wgsl with workgroups of WIDTH channels (vec4s) by LANES / WIDTH rows; both passes end in a tree over the rows.
override N: u32 = 1u;
override P: u32 = 1u;
override C: u32 = 1u; // vec4s
override CHUNKS: u32 = 1u;
override CHUNK: u32 = 1u;
override LANES: u32 = 256u;
override WIDTH: u32 = 1u;

@group(0) @binding(0) var<storage, read> x: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> moments: array<vec4f>;

var<workgroup> partial: array<vec4f, LANES>;

fn sumOverRows(lane: u32, value: vec4f) -> vec4f {
  workgroupBarrier();
  partial[lane] = value;
  for (var half = LANES / WIDTH / 2u; half > 0u; half /= 2u) {
    workgroupBarrier();
    if (lane / WIDTH < half) { partial[lane] += partial[lane + half * WIDTH]; }
  }
  workgroupBarrier();
  return partial[lane % WIDTH];
}

@compute @workgroup_size(LANES)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let tile = group.y * groups.x + group.x;
  let blocks = (C + WIDTH - 1u) / WIDTH;
  if (tile >= N * CHUNKS * blocks) { return; }
  let slot = tile / blocks; // n · CHUNKS + s
  let channel = tile % blocks * WIDTH + lane % WIDTH;
  let row = lane / WIDTH;
  let first = slot % CHUNKS * CHUNK;
  let end = min(first + CHUNK, P);
  let base = slot / CHUNKS * P * C + min(channel, C - 1u);
  var total = vec4f(0.0);
  for (var p = first + row; p < end; p += LANES / WIDTH) { total += x[base + p * C]; }
  let mean = sumOverRows(lane, total) / f32(end - first);
  var spread = vec4f(0.0);
  for (var p = first + row; p < end; p += LANES / WIDTH) {
    let d = x[base + p * C] - mean;
    spread += d * d;
  }
  let result = sumOverRows(lane, spread);
  if (row == 0u && channel < C) {
    moments[slot * C + channel] = mean;
    moments[N * CHUNKS * C + slot * C + channel] = result;
  }
}
