// Operands of a convolution as in convolution.wgsl, in octets of channels.
override SOURCE_HEIGHT: u32 = 1u;
override SOURCE_WIDTH: u32 = 1u;
override SOURCE_OCTETS: u32 = 1u; // of channels
override HEIGHT: u32 = 1u;
override WIDTH: u32 = 1u;
override KERNEL_WIDTH: u32 = 1u;
override STRIDE: u32 = 1u;
override PADDING: u32 = 0u;
override K: u32 = 16u;
const NO_ROW = 0xffffffffu;

// Eight source channels under one tap, as a pixel of the result sees them.
fn leftOctet(batch: u32, pixel: u32, octet: u32) -> u32 {
  let tap = octet / SOURCE_OCTETS;
  let y = pixel / WIDTH % HEIGHT * STRIDE + tap / KERNEL_WIDTH - PADDING;
  let x = pixel % WIDTH * STRIDE + tap % KERNEL_WIDTH - PADDING;
  if ((!WHOLE_M && pixel >= M) || (!WHOLE_K && octet >= K / 8u) || y >= SOURCE_HEIGHT || x >= SOURCE_WIDTH) { return ZEROS; }
  let at = (pixel / (WIDTH * HEIGHT) * SOURCE_HEIGHT + y) * SOURCE_WIDTH + x;
  return at * SOURCE_OCTETS + octet % SOURCE_OCTETS;
}

// Eight channels of the result for one value of k.
fn rightOctet(batch: u32, k: u32, octet: u32) -> u32 {
  if ((!WHOLE_K && k >= K) || (!WHOLE_N && octet >= N4 / 2u)) { return ZEROS; }
  return k * (N4 / 2u) + octet;
}

fn resultRow(batch: u32, m: u32) -> u32 {
  return select(NO_ROW, m, WHOLE_M || m < M);
}
