// The gradient [3, 3, ...] of a filter of SIZE vec4s a tap from planes[i, j, ...], that of the transformed filter.
override SIZE: u32 = 1u;

@group(0) @binding(0) var<storage, read> planes: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> result: array<vec4f>;

fn epilogue(at: u32, value: vec4f) -> vec4f { return value; }

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let at = (group.y * groups.x + group.x) * 64u + lane;
  if (at >= SIZE) { return; }
  var columns: array<array<vec4f, 3>, SIDE>;
  // unroll
  for (var j = 0u; j < SIDE; j++) {
    var line: array<vec4f, SIDE>;
    // unroll
    for (var i = 0u; i < SIDE; i++) {
      line[i] = planes[(i * SIDE + j) * SIZE + at];
    }
    columns[j] = filterGradientLine(line);
  }
  // unroll
  for (var i = 0u; i < 3u; i++) {
    var line: array<vec4f, SIDE>;
    // unroll
    for (var j = 0u; j < SIDE; j++) {
      line[j] = columns[j][i];
    }
    let values = filterGradientLine(line);
    // unroll
    for (var j = 0u; j < 3u; j++) {
      let place = (i * 3u + j) * SIZE + at;
      result[place] = epilogue(place, values[j]);
    }
  }
}
