// planes[i, j, ...] of a filter [3, 3, ...] of SIZE vec4s a tap, transformed along both sides; of the filter turned by half a turn
// if TURNED.
override SIZE: u32 = 1u;
override TURNED: bool = false;

@group(0) @binding(0) var<storage, read> weights: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> planes: array<vec4f>;

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let at = (group.y * groups.x + group.x) * 64u + lane;
  if (at >= SIZE) { return; }
  var columns: array<array<vec4f, SIDE>, 3>;
  // unroll
  for (var j = 0u; j < 3u; j++) {
    var line: array<vec4f, 3>;
    // unroll
    for (var i = 0u; i < 3u; i++) {
      line[i] = weights[select(i * 3u + j, 8u - i * 3u - j, TURNED) * SIZE + at];
    }
    columns[j] = filterLine(line);
  }
  // unroll
  for (var i = 0u; i < SIDE; i++) {
    let values = filterLine(array<vec4f, 3>(columns[0][i], columns[1][i], columns[2][i]));
    // unroll
    for (var j = 0u; j < SIDE; j++) {
      planes[(i * SIDE + j) * SIZE + at] = values[j];
    }
  }
}
