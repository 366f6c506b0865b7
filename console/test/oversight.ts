/** A ledger as it shows itself: the forms are right, and nothing is signed, since a page verifies nothing here. */
const signature = (name: string, id: number, bytes: number): string => `— ${name} ${Buffer.concat([Buffer.from([0, 0, 0, id]), Buffer.alloc(bytes, id)]).toString('base64')}\n`
const key = `kawal.example/ledger+00000001+${Buffer.concat([Buffer.from([1]), Buffer.alloc(32, 7)]).toString('base64')}`
const checkpoint = `kawal.example/ledger\n820161\n${Buffer.alloc(32, 9).toString('base64')}\n\n${signature('kawal.example/ledger', 1, 64)}${signature('saksi.example/bawaslu', 2, 72)}`

/** What oversight asks for; null for what it does not. */
export function answerOversight({ pathname }: URL, { empty }: { readonly empty: boolean }): { status: number; body: unknown } | null {
  const ledger = /^\/ledger\/(key|checkpoint)$/.exec(pathname)?.[1]
  if (ledger !== undefined) return empty ? { status: 503, body: { status: 503, code: 'not_ready', title: 'Not ready', detail: 'This server keeps no ledger, and takes no recaps.' } } : { status: 200, body: ledger === 'key' ? `${key}\n` : checkpoint }
  return null
}
