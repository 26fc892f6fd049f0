// Results of tiled.wgsl in rows of COLUMNS numbers, which need not come in fours: takes the place of its lines on results.
override COLUMNS: u32 = 1u;

@group(0) @binding(2) var<storage, read_write> result: array<f32>;

fn epilogue(at: u32, value: f32) -> f32 { return value; }

fn write(row: u32, n: u32, value: vec4f) {
  let at = row * COLUMNS + 4u * n;
  result[at] = epilogue(at, value.x);
  if (4u * n + 1u < COLUMNS) { result[at + 1u] = epilogue(at + 1u, value.y); }
  if (4u * n + 2u < COLUMNS) { result[at + 2u] = epilogue(at + 2u, value.z); }
  if (4u * n + 3u < COLUMNS) { result[at + 3u] = epilogue(at + 3u, value.w); }
}
