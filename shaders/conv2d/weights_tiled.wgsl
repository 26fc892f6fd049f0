// weights_plain.wgsl without groups, as a matrix product: rows are (tap, source channel), columns channels, and k runs over
// the CHUNK pixels (n, y, x) of workgroup_id.z. A workgroup computes 4 · ROWS by 4 · COLUMNS partial sums from tiles in
// workgroup memory, an invocation 4 by 4. All channel counts are in vec4s.
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
override CHUNK: u32 = 32u;
override ROWS: u32 = 16u;
override COLUMNS: u32 = 16u;
override PIXELS: u32 = BATCH * HEIGHT * WIDTH;
override M4: u32 = KERNEL_HEIGHT * KERNEL_WIDTH * SOURCE_CHANNELS;

@group(0) @binding(0) var<storage, read> source: array<vec4f>;
@group(0) @binding(1) var<storage, read> dy: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> partials: array<vec4f>;

// Each holds 32 pixels.
var<workgroup> patches: array<vec4f, 32u * ROWS>;
var<workgroup> cotangents: array<vec4f, 32u * COLUMNS>;

// Source channels 4 · m … as the pixel sees them.
fn patch4(pixel: u32, end: u32, m: u32) -> vec4f {
  if (pixel >= end || m >= M4) { return vec4f(); }
  let tap = m / SOURCE_CHANNELS;
  let y = pixel / WIDTH % HEIGHT * STRIDE + tap / KERNEL_WIDTH - PADDING;
  let x = pixel % WIDTH * STRIDE + tap % KERNEL_WIDTH - PADDING;
  if (y >= SOURCE_HEIGHT || x >= SOURCE_WIDTH) { return vec4f(); }
  let n = pixel / (WIDTH * HEIGHT);
  return source[((n * SOURCE_HEIGHT + y) * SOURCE_WIDTH + x) * SOURCE_CHANNELS + m % SOURCE_CHANNELS];
}

fn cotangent4(pixel: u32, end: u32, o: u32) -> vec4f {
  if (pixel >= end || o >= CHANNELS) { return vec4f(); }
  return dy[pixel * CHANNELS + o];
}

@compute @workgroup_size(COLUMNS, ROWS)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let row = lane / COLUMNS;
  let column = lane % COLUMNS;
  let first = group.z * CHUNK;
  let end = min(first + CHUNK, PIXELS);
  var r0 = vec4f();
  var r1 = vec4f();
  var r2 = vec4f();
  var r3 = vec4f();
  for (var pixel = first; pixel < end; pixel += 32u) {
    for (var i = lane; i < 32u * ROWS; i += ROWS * COLUMNS) {
      patches[i] = patch4(pixel + i / ROWS, end, group.y * ROWS + i % ROWS);
    }
    for (var i = lane; i < 32u * COLUMNS; i += ROWS * COLUMNS) {
      cotangents[i] = cotangent4(pixel + i / COLUMNS, end, group.x * COLUMNS + i % COLUMNS);
    }
    workgroupBarrier();
    for (var k = 0u; k < 32u; k++) {
      let left = patches[k * ROWS + row];
      let right = cotangents[k * COLUMNS + column];
      r0 += left.x * right;
      r1 += left.y * right;
      r2 += left.z * right;
      r3 += left.w * right;
    }
    workgroupBarrier();
  }
  let m = group.y * ROWS + row;
  let o = group.x * COLUMNS + column;
  if (m >= M4 || o >= CHANNELS) { return; }
  let at = (group.z * M4 + m) * 4u * CHANNELS + o;
  partials[at] = r0;
  partials[at + CHANNELS] = r1;
  partials[at + 2u * CHANNELS] = r2;
  partials[at + 3u * CHANNELS] = r3;
}
