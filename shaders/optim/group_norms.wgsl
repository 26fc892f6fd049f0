// norms[g] = sqrt(Σ squares[b]) over the blocks of group g, of the gradient as it is without the loss scale; behind them the
// two loss scales and the steps skipped for the first, this one included. rows[g] is group g's row with what it is to be
// multiplied by for the largest norm of its team, the groups of one number, and inactive where a gradient of its class is not
// finite: a class is either skipped whole or not. One workgroup a group, a fixed tree over LANES lanes; the sum over a team
// has the same order however it is divided into groups.
override BLOCKS4: u32 = 1u;
override GROUPS: u32 = 1u;
override LANES: u32 = 64u;
override CLIPPED: bool = false;
override DYNAMIC: bool = false;
override STATE: u32 = 0u;

const FREE = 0xffffffffu;

struct Group { rate: f32, decay: f32, clip: f32, active_: f32, correction1: f32, correction2: f32, class_: f32, team: f32 }
struct Row { rate: f32, decay: f32, scale: f32, active_: f32, correction1: f32, correction2: f32, verdict: vec2f }

@group(0) @binding(0) var<storage, read> blocks: array<vec4u>;
@group(0) @binding(1) var<storage, read> squares: array<vec4f>;
@group(0) @binding(2) var<storage, read> groups: array<Group>;
@group(0) @binding(3) var<storage, read> parameters: array<vec4f>;
@group(0) @binding(4) var<storage, read_write> rows: array<Row>;
@group(0) @binding(5) var<storage, read_write> norms: array<f32>;

var<workgroup> partial: array<f32, LANES>;
var<workgroup> partialOfTeam: array<f32, LANES>;
var<workgroup> faults: array<u32, LANES>;

// Bit of the class of an active group; 0 for none.
fn classOf(group: u32) -> u32 {
  return select(0u, 1u << u32(groups[group].class_), groups[group].active_ != 0.0);
}

// Compilers may take it that no number is NaN, but not that no bits are.
fn faultOf(block: u32, square: f32) -> u32 {
  if ((bitcast<u32>(square) & 0x7f800000u) != 0x7f800000u || block == FREE) { return 0u; }
  return classOf(block & 0xffffu);
}

// Whether a block belongs to a team; 1 or 0.
fn within(block: u32, team: f32) -> f32 {
  return select(0.0, 1.0, block != FREE && groups[block & 0xffffu].team == team);
}

fn verdictOf(bit: u32, seen: u32, fault: u32) -> f32 {
  return select(0.0, select(1.0, 2.0, (fault & bit) != 0u), (seen & bit) != 0u);
}

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  var total = 0.0;
  var totalOfTeam = 0.0;
  var fault = 0u;
  let team = groups[group.x].team;
  for (var b = lane; b < BLOCKS4; b += LANES) {
    let owner = blocks[b];
    let square = squares[b];
    total += dot(select(vec4f(), square, (owner & vec4u(0xffffu)) == vec4u(group.x)), vec4f(1.0));
    if (CLIPPED) {
      let members = vec4f(within(owner.x, team), within(owner.y, team), within(owner.z, team), within(owner.w, team));
      totalOfTeam += dot(select(vec4f(), square, members != vec4f()), vec4f(1.0));
    }
    fault |= faultOf(owner.x, square.x) | faultOf(owner.y, square.y) | faultOf(owner.z, square.z) |
      faultOf(owner.w, square.w);
  }
  partial[lane] = total;
  partialOfTeam[lane] = totalOfTeam;
  faults[lane] = fault;
  for (var width = LANES / 2u; width > 0u; width /= 2u) {
    workgroupBarrier();
    if (lane < width) {
      partial[lane] += partial[lane + width];
      partialOfTeam[lane] += partialOfTeam[lane + width];
      faults[lane] |= faults[lane + width];
    }
  }
  if (lane != 0u) { return; }
  var seen = 0u;
  for (var g = 0u; g < GROUPS; g++) { seen |= classOf(g); }
  fault = faults[0];
  let row = groups[group.x];
  let state = parameters[STATE + 16u * u32(row.class_)];
  let unscale = select(1.0, 1.0 / state.x, DYNAMIC);
  let norm = sqrt(partial[0]) * unscale;
  norms[group.x] = norm;
  let normOfTeam = sqrt(partialOfTeam[0]) * unscale;
  let clip = select(1.0, min(1.0, row.clip / (normOfTeam + 1e-6)), CLIPPED && row.clip > 0.0);
  let skipped = DYNAMIC && (fault & classOf(group.x)) != 0u;
  rows[group.x] = Row(
    row.rate,
    row.decay,
    clip * unscale,
    select(row.active_, 0.0, skipped),
    row.correction1,
    row.correction2,
    vec2f(verdictOf(1u, seen, fault), verdictOf(2u, seen, fault)),
  );
  if (group.x == 0u) {
    norms[GROUPS] = select(1.0, parameters[STATE].x, DYNAMIC);
    norms[GROUPS + 1u] = select(1.0, parameters[STATE + 16u].x, DYNAMIC);
    norms[GROUPS + 2u] = select(0.0, parameters[STATE].z + select(0.0, 1.0, (fault & 1u) != 0u), DYNAMIC);
  }
}
