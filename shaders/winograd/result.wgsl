// result [n, y, x, c] of planes[i, j, tile, c], the products of transformed tiles and filters: tiles of OUT × OUT pixels. All
// channel counts are in vec4s.
override TILES: u32 = 1u;
override TILES_DOWN: u32 = 1u;
override TILES_ACROSS: u32 = 1u;
override HEIGHT: u32 = 1u;
override WIDTH: u32 = 1u;
override CHANNELS: u32 = 1u;

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
  if (at >= TILES * CHANNELS) { return; }
  let tile = at / CHANNELS;
  let c = at % CHANNELS;
  var columns: array<array<vec4f, OUT>, SIDE>;
  // unroll
  for (var j = 0u; j < SIDE; j++) {
    var line: array<vec4f, SIDE>;
    // unroll
    for (var i = 0u; i < SIDE; i++) {
      line[i] = planes[(i * SIDE + j) * (TILES * CHANNELS) + at];
    }
    columns[j] = resultLine(line);
  }
  let image = tile / (TILES_ACROSS * TILES_DOWN);
  let top = tile / TILES_ACROSS % TILES_DOWN * OUT;
  let left = tile % TILES_ACROSS * OUT;
  // unroll
  for (var i = 0u; i < OUT; i++) {
    var line: array<vec4f, SIDE>;
    // unroll
    for (var j = 0u; j < SIDE; j++) {
      line[j] = columns[j][i];
    }
    let values = resultLine(line);
    // unroll
    for (var j = 0u; j < OUT; j++) {
      if (top + i < HEIGHT && left + j < WIDTH) {
        let place = ((image * HEIGHT + top + i) * WIDTH + left + j) * CHANNELS + c;
        result[place] = epilogue(place, values[j]);
      }
    }
  }
}
