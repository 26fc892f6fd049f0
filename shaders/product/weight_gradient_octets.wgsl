// Operands of a convolution's weight gradient as in weight_gradient.wgsl, in octets of channels.
override SOURCE_HEIGHT: u32 = 1u;
override SOURCE_WIDTH: u32 = 1u;
override SOURCE_OCTETS: u32 = 1u; // of channels
override HEIGHT: u32 = 1u;
override WIDTH: u32 = 1u;
override KERNEL_WIDTH: u32 = 1u;
override STRIDE: u32 = 1u;
override PADDING: u32 = 0u;
override PIXELS: u32 = 1u;
override ROWS: u32 = M; // of (tap, source channel)
override ONES: u32 = NO_ROW; // a further row of ones, for the sums of dy
const NO_ROW = 0xffffffffu;

// Eight source channels under one tap, as a pixel of dy sees them.
fn leftOctet(batch: u32, pixel: u32, octet: u32) -> u32 {
  let tap = octet / SOURCE_OCTETS;
  let y = pixel / WIDTH % HEIGHT * STRIDE + tap / KERNEL_WIDTH - PADDING;
  let x = pixel % WIDTH * STRIDE + tap % KERNEL_WIDTH - PADDING;
  if (!(WHOLE_M && ROWS == M) && octet >= ROWS / 8u) { return select(ZEROS, ONE, pixel < PIXELS && octet * 8u == ONES); }
  if ((!WHOLE_K && pixel >= PIXELS) || y >= SOURCE_HEIGHT || x >= SOURCE_WIDTH) { return ZEROS; }
  let at = (pixel / (WIDTH * HEIGHT) * SOURCE_HEIGHT + y) * SOURCE_WIDTH + x;
  return at * SOURCE_OCTETS + octet % SOURCE_OCTETS;
}

// Eight channels of dy at a pixel.
fn rightOctet(batch: u32, pixel: u32, octet: u32) -> u32 {
  if ((!WHOLE_K && pixel >= PIXELS) || (!WHOLE_N && octet >= N4 / 2u)) { return ZEROS; }
  return pixel * (N4 / 2u) + octet;
}

fn resultRow(batch: u32, m: u32) -> u32 {
  return select(NO_ROW, m, WHOLE_M || m < M);
}
