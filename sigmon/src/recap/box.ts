import { request } from '../request.ts'
import { custodyOf, handAll, unsentAtBox, type Desk, type HandingNeeds } from './desk.ts'
import type { proves } from './receipt.ts'

export interface BoxNeeds extends HandingNeeds {
  readonly proves: typeof proves
  readonly ledgerKey: () => string | null
  /** Address of the box that an access point may have; null for none. */
  readonly box: () => string | null
}

/** Where there is no box its name is not known, and the answer is there at once; on a network that swallows, it is not waited for. */
const met_ms_max = 4_000

/**
 * Unloads into the box at an access point, if this phone stands beside one: seconds over its own network, where the line behind it would
 * take minutes. What it has is a promise. The phone goes on to ask for the platform's own receipts, here and there.
 * @param renew says whether this tab may go on
 */
export async function unload(needs: BoxNeeds, renew: () => Promise<boolean>): Promise<void> {
  const address = needs.box()
  if (address === null || (await needs.book.all()).every((kept) => unsentAtBox(kept, '') === null)) return
  const met = await request(needs.env, `${address}/ledger/key`, {}, met_ms_max)
  const key = met?.status === 200 ? (await met.text()).trim() : ''
  if (!/^\S+\+[0-9a-f]{8}\+\S+$/.test(key)) return
  await handAll(needs, deskOf(needs, address, key), renew, () => true)
  await fetchReceipts(needs, address, key)
}

/** Receipts of the platform that the box has fetched: it costs the line behind it nothing. */
async function fetchReceipts({ env, book, proves: prove, ledgerKey, changed }: BoxNeeds, address: string, key: string): Promise<void> {
  for (const { hash, bytes, receipt, custody } of await book.all()) {
    if (receipt !== null || custodyOf(custody, key) === undefined) continue
    const answer = await request(env, `${address}/v1/recaps/${hash}/logged`)
    if (answer === null) return
    const text = answer.status === 200 ? await answer.text() : ''
    if (text === '' || (await prove(bytes, text, ledgerKey())) !== 'holds') continue
    await book.change(hash, { receipt: text, isProven: true })
    changed()
  }
}

function deskOf({ env, book, proves: prove }: BoxNeeds, address: string, key: string): Desk {
  return {
    address, headers: {},
    unsent: (kept) => unsentAtBox(kept, key),
    async took({ hash, bytes }, receipt) {
      if ((await prove(bytes, receipt, key)) !== 'holds') return false
      await book.inCustody(hash, { at: env.clock(), key, receipt, isListKept: false, sent: {} })
      return true
    },
    // Whether it is none is for the platform to say.
    refused: () => Promise.resolve('aside'),
    async listed({ hash, custody }) {
      const held = custodyOf(custody, key)
      if (held !== undefined) await book.inCustody(hash, { ...held, isListKept: true })
    },
    async sent({ hash, custody }, id, offset) {
      const held = custodyOf(custody, key)
      if (held !== undefined) await book.inCustody(hash, { ...held, sent: { ...held.sent, [id]: offset } })
    },
  }
}
