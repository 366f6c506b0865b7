import { readVerifierKey } from '@kawal/core/ledger/key.ts'
import type { Policy } from '@kawal/core/ledger/policy.ts'
import type { Logger } from 'pino'
import { sha256 } from '../ledger/cryptography.ts'
import { openKey, signerFolder } from '../ledger/signer.ts'
import { startWitness, type RunningWitness } from '../witness/serve.ts'

const name = 'saksi.gladi.example/kawal'

/**
 * A witness beside the rehearsal, by the rehearsed clock: what it has seen is seen as on the day. Its key is made before the ledger's, whose server names it.
 * @param folder its own, kept with the rehearsed ledger
 */
export async function rehearseWitness(folder: string, port: number, clock: () => number, log: Logger): Promise<{ readonly policy: Policy; begin(url: string): Promise<RunningWitness> }> {
  const { key } = await openKey(signerFolder(folder), name, 'cosignature')
  return {
    policy: { logs: [], witnesses: [{ name: 'saksi-gladi', key, url: `http://127.0.0.1:${port}` }], groups: [], quorum: 'saksi-gladi' },
    async begin(url) {
      const logs = await Promise.all(['ledger', 'acts'].map(async (each) => {
        const read = readVerifierKey((await (await fetch(`${url}/${each}/key`)).text()).trim(), sha256)
        if (!read.ok) throw new Error(`${url}/${each}/key: ${read.error}`)
        return read.value
      }))
      return startWitness({ folder, name, logs, clock, log, host: '127.0.0.1', port })
    },
  }
}
