// Convolution and its input gradient as in plain.wgsl, without groups, as a matrix product: rows are the result's pixels,
// columns its channels, and k runs over (tap, source channel). A workgroup computes 4 · ROWS pixels by 4 · COLUMNS channels
// from tiles in workgroup memory, an invocation 4 by 4. All channel counts are in vec4s.
override BATCH: u32 = 1u;
override SOURCE_HEIGHT: u32 = 1u;
override SOURCE_WIDTH: u32 = 1u;
override SOURCE_CHANNELS: u32 = 1u;
override HEIGHT: u32 = 1u;
override WIDTH: u32 = 1u;
override CHANNELS: u32 = 1u;
override KERNEL_HEIGHT: u32 = 1u;
override KERNEL_WIDTH: u32 = 1u;
override STRIDE: u32 = 1u;
override PADDING: u32 = 0u;
override INPUT_GRADIENT: bool = false;
override ROWS: u32 = 16u;
override COLUMNS: u32 = 16u;
override PIXELS: u32 = BATCH * HEIGHT * WIDTH;
override K4: u32 = KERNEL_HEIGHT * KERNEL_WIDTH * SOURCE_CHANNELS;

@group(0) @binding(0) var<storage, read> source: array<vec4f>;
@group(0) @binding(1) var<storage, read> weights: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> result: array<vec4f>;

// Each holds 32 values of k; vec4s lie along pixels and channels. Within row k, column c stands at c ^ (k / 4 % min(8, its length)), so that
// the blocks of 4 by 4 in which tiles are filled meet different memory banks.
var<workgroup> patches: array<vec4f, 32u * ROWS>;
var<workgroup> filters: array<vec4f, 32u * COLUMNS>;

fn position(i: u32, k: u32) -> u32 {
  if (INPUT_GRADIENT) {
    let at = i + PADDING - k;
    return select(0xffffffffu, at / STRIDE, at % STRIDE == 0u && i + PADDING >= k);
  }
  return i * STRIDE + k - PADDING;
}

// Four source channels from c on, as a result's pixel sees them under a tap.
fn patch4(pixel: u32, ky: u32, kx: u32, c: u32) -> vec4f {
  let y = position(pixel / WIDTH % HEIGHT, ky);
  let x = position(pixel % WIDTH, kx);
  if (pixel >= PIXELS || y >= SOURCE_HEIGHT || x >= SOURCE_WIDTH) { return vec4f(); }
  let n = pixel / (WIDTH * HEIGHT);
  return source[((n * SOURCE_HEIGHT + y) * SOURCE_WIDTH + x) * SOURCE_CHANNELS + c];
}

// Four values of k (columns) for four pixels.
fn patchBlock(pixel: u32, k: u32) -> mat4x4f {
  if (k >= K4) { return mat4x4f(); }
  let tap = k / SOURCE_CHANNELS;
  let c = k % SOURCE_CHANNELS;
  let ky = tap / KERNEL_WIDTH;
  let kx = tap % KERNEL_WIDTH;
  return transpose(mat4x4f(
    patch4(pixel, ky, kx, c),
    patch4(pixel + 1u, ky, kx, c),
    patch4(pixel + 2u, ky, kx, c),
    patch4(pixel + 3u, ky, kx, c),
  ));
}

// Four values of k (columns) for four result channels.
fn filterBlock(k: u32, o: u32) -> mat4x4f {
  if (k >= K4 || o >= CHANNELS) { return mat4x4f(); }
  if (!INPUT_GRADIENT) {
    let at = k * 4u * CHANNELS + o;
    return mat4x4f(
      weights[at],
      weights[at + CHANNELS],
      weights[at + 2u * CHANNELS],
      weights[at + 3u * CHANNELS],
    );
  }
  let at = (k / SOURCE_CHANNELS * CHANNELS + o) * 4u * SOURCE_CHANNELS + k % SOURCE_CHANNELS;
  return transpose(mat4x4f(
    weights[at],
    weights[at + SOURCE_CHANNELS],
    weights[at + 2u * SOURCE_CHANNELS],
    weights[at + 3u * SOURCE_CHANNELS],
  ));
}

@compute @workgroup_size(COLUMNS, ROWS)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let tile = group.z * 65535u + group.y;
  let row = lane / COLUMNS;
  let column = lane % COLUMNS;
  var r0 = vec4f();
  var r1 = vec4f();
  var r2 = vec4f();
  var r3 = vec4f();
  for (var k0 = 0u; k0 < K4; k0 += 8u) {
    for (var i = lane; i < 8u * (ROWS + COLUMNS); i += ROWS * COLUMNS) {
      let k = i % 8u;
      let line = i / 8u;
      if (line < ROWS) {
        let block = patchBlock((tile * ROWS + line) * 4u, k0 + k);
        let at = k * 4u * ROWS + (line ^ k);
        patches[at] = block[0];
        patches[at + ROWS] = block[1];
        patches[at + 2u * ROWS] = block[2];
        patches[at + 3u * ROWS] = block[3];
      } else {
        let block = filterBlock(k0 + k, group.x * COLUMNS + line - ROWS);
        let at = k * 4u * COLUMNS + ((line - ROWS) ^ (k % COLUMNS));
        filters[at] = block[0];
        filters[at + COLUMNS] = block[1];
        filters[at + 2u * COLUMNS] = block[2];
        filters[at + 3u * COLUMNS] = block[3];
      }
    }
    workgroupBarrier();
    for (var k = 0u; k < 32u; k++) {
      let left = patches[k * ROWS + (row ^ (k / 4u))];
      let right = filters[k * COLUMNS + (column ^ (k / 4u % COLUMNS))];
      r0 += left.x * right;
      r1 += left.y * right;
      r2 += left.z * right;
      r3 += left.w * right;
    }
    workgroupBarrier();
  }
  let pixel = (tile * ROWS + row) * 4u;
  let o = group.x * COLUMNS + column;
  if (o >= CHANNELS) { return; }
  let at = pixel * CHANNELS + o;
  if (pixel < PIXELS) { result[at] = r0; }
  if (pixel + 1u < PIXELS) { result[at + CHANNELS] = r1; }
  if (pixel + 2u < PIXELS) { result[at + 2u * CHANNELS] = r2; }
  if (pixel + 3u < PIXELS) { result[at + 3u * CHANNELS] = r3; }
}
