// planes[i, j, tile, c] of cotangents [n, y, x, c] of a convolution's result: tiles of OUT × OUT pixels, transformed along y and x.
// All channel counts are in vec4s.
override TILES: u32 = 1u;
override PLANE_TILES: u32 = 1u; // tiles of a plane, zeros behind the last one of the images
override TILES_DOWN: u32 = 1u;
override TILES_ACROSS: u32 = 1u;
override HEIGHT: u32 = 1u;
override WIDTH: u32 = 1u;
override CHANNELS: u32 = 1u;

@group(0) @binding(0) var<storage, read> images: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> planes: array<vec4f>;

fn pixel4(tile: u32, i: u32, j: u32, c: u32) -> vec4f {
  let y = tile / TILES_ACROSS % TILES_DOWN * OUT + i;
  let x = tile % TILES_ACROSS * OUT + j;
  if (tile >= TILES || y >= HEIGHT || x >= WIDTH) { return vec4f(); }
  return images[((tile / (TILES_ACROSS * TILES_DOWN) * HEIGHT + y) * WIDTH + x) * CHANNELS + c];
}

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let at = (group.y * groups.x + group.x) * 64u + lane;
  if (at >= PLANE_TILES * CHANNELS) { return; }
  let tile = at / CHANNELS;
  let c = at % CHANNELS;
  var columns: array<array<vec4f, SIDE>, OUT>;
  // unroll
  for (var j = 0u; j < OUT; j++) {
    var line: array<vec4f, OUT>;
    // unroll
    for (var i = 0u; i < OUT; i++) {
      line[i] = pixel4(tile, i, j, c);
    }
    columns[j] = cotangentLine(line);
  }
  // unroll
  for (var i = 0u; i < SIDE; i++) {
    var line: array<vec4f, OUT>;
    // unroll
    for (var j = 0u; j < OUT; j++) {
      line[j] = columns[j][i];
    }
    let values = cotangentLine(line);
    // unroll
    for (var j = 0u; j < SIDE; j++) {
      planes[(i * SIDE + j) * (PLANE_TILES * CHANNELS) + at] = values[j];
    }
  }
}
