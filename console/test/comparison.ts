/** The comparison of the two senders, made up: each kind, one form side by side with a misread number, a conflict and a record in quarantine. */
const kinds = { agree: 0, differ: 0, officer_only: 0, supervisor_only: 0, conflict: 0, quarantine: 0 }
const counted = (expected: number, part: Partial<typeof kinds>): Record<string, number> => {
  const held = { ...kinds, ...part }
  return { expected, ...held, neither: expected - Object.values(held).reduce((sum, each) => sum + each, 0) }
}
const national = counted(263_065, { agree: 51_220, differ: 38, officer_only: 12_905, supervisor_only: 211, conflict: 9, quarantine: 41 })
const rows = [
  { code: '53', name: 'Nusa Tenggara Timur', stations: 16_746, ...counted(83_730, { agree: 9_120, differ: 21, officer_only: 4_400, supervisor_only: 61, conflict: 2, quarantine: 30 }) },
  { code: '75', name: 'Gorontalo', stations: 3_572, ...counted(17_860, { agree: 4_310, differ: 17, officer_only: 805, supervisor_only: 150, conflict: 7, quarantine: 11 }) },
]
const station = '5310012001002'
const place = 'Golo Wangkung, Cibal, Manggarai'
const hash = (digit: string): string => digit.repeat(64)
const differences = [{ field: 'votes_1', officer: 728, supervisor: 128, misreading: 'digit', fits: 'supervisor' }, { field: 'disabled_male', officer: 1, supervisor: 2, misreading: 'digit', fits: null }]
const fields = ['voters_dpt_male', 'voters_dpt_female', 'voters_dpt', 'present_dpt_male', 'present_dpt_female', 'present_dpt', 'present_dptb_male', 'present_dptb_female', 'present_dptb', 'present_dpk_male', 'present_dpk_female', 'present_dpk', 'present_male', 'present_female', 'present',
  'ballots_received', 'ballots_used', 'ballots_returned', 'ballots_unused', 'disabled_male', 'disabled_female', 'disabled', 'votes_1', 'votes_2', 'votes_3', 'valid', 'invalid', 'votes']
const sound = [127, 145, 272, 104, 119, 223, 3, 2, 5, 4, 6, 10, 111, 127, 238, 278, 238, 2, 38, 1, 2, 3, 128, 71, 33, 232, 6, 238]
const totalsOf = (first: number, disabled: number): Record<string, number> => Object.fromEntries(fields.map((field, at) => [field, field === 'votes_1' ? first : field === 'disabled_male' ? disabled : sound[at] ?? 0]))
const receipt = `c2sp.org/tlog-proof@v1\nindex 4100805\n${'uGk0b3VnaCBmb3IgYSBxciwgYW5kIG5vYm9keSdzIGhhc2g=\n'.repeat(4)}\nkawal.example/ledger\n4100806\n`
const record = (now: number, side: string | null, digit: string, code: string, totals: Record<string, number>, more: object = {}): object => ({
  hash: hash(digit), code, entry: 4_100_805, receivedAt: new Date(now - 3_600_000).toISOString(), contest: 'ppwp', madeAt: new Date(now - 3_700_000).toISOString(), replaces: null, totals, warnings: [], slips: [], side, reason: null, detail: null, deliveredAt: null,
  photos: [{ page: 1, shot: 1, kind: 'preview', size: 41_000, sha256: hash('e'), kept: true }, { page: 1, shot: 1, kind: 'original', size: 860_000, sha256: hash('f'), kept: false }], publicKey: `BH${'a'.repeat(85)}`, keyEntry: 80_211, receipt, ...more,
})

/** What the comparison asks for; null for what it does not. */
export function answerComparison({ pathname, searchParams }: URL, { empty }: { readonly empty: boolean }): { status: number; body: unknown } | null {
  const now = Date.now()
  const at = { now: new Date(now).toISOString(), asOf: new Date(now - 4_000).toISOString() }
  const area = searchParams.get('area') ?? ''
  if (pathname === '/v1/supervisor-letters') return { status: 200, body: 'station,code\n' }
  if (pathname === '/v1/recaps/comparison') return { status: 200, body: {
    ...at, asOf: empty ? null : at.asOf, area: area === '' ? { code: '', name: '' } : { code: area, name: 'Nusa Tenggara Timur' }, above: [], contest: searchParams.get('contest'), stations: 52_613, total: national, contests: ['ppwp', 'dpr', 'dpd', 'dprd_provinsi', 'dprd_kabkota'].map((contest) => ({ contest, ...national })), rows,
  } }
  if (pathname === '/v1/recaps/comparison/slots') {
    const kind = searchParams.get('kind') ?? 'differ'
    const row = { station, place, contest: 'ppwp', kind, isOtherForm: false, differences: kind === 'differ' ? differences : [], records: [] }
    return { status: 200, body: { ...at, kind, next: kind === 'differ' ? 'WzAsIiJd' : null, rows: kind === 'conflict' ? [] : [row, { ...row, contest: 'dpd', differences: [], isOtherForm: kind === 'differ' }] } }
  }
  const [, contest] = /^\/v1\/recaps\/slots\/\d{13}\/(\w+)$/.exec(pathname) ?? []
  if (contest === undefined) return null
  const records = [record(now, 'officer', 'a', '31Z9N-R5Y43', totalsOf(728, 1)), record(now, 'supervisor', 'b', 'TQKHJ-29M7D', totalsOf(129, 2)), record(now, 'supervisor', 'c', '4M2QX-8B71C', totalsOf(128, 2), { replaces: hash('b') }),
    record(now, null, 'd', '9V3KD-55T0A', totalsOf(905, 1), { reason: 'key_unknown', detail: 'No phone with the key that signed is enrolled: enrol it at station 5310012001002.', photos: null, keyEntry: null, receipt: null })]
  const slots = [{ contest, side: 'officer', state: 'single', sameTotals: true, chains: [[hash('a')]], loose: [] }, { contest, side: 'supervisor', state: 'corrected', sameTotals: true, chains: [[hash('c'), hash('b')]], loose: [{ hash: hash('c'), replaces: hash('a'), why: 'other_side' }] }]
  return { status: 200, body: { now: at.now, station, place, contest, kind: 'differ', isOtherForm: false, differences, fields, slots, records } }
}
