import { setTimeout as pause } from 'node:timers/promises'
import { freePort } from '@kawal/server/src/adapters/postgres/embedded.ts'
import { seeded } from '@kawal/core/kernel/random.ts'
import type { Generator } from './ask.ts'
import { audit, readStored } from './audit.ts'
import type { LoadPlan } from './load.ts'
import { serve, type Running } from './processes.ts'

/** One and the other, each with and without the database's processes. */
const rounds = [{ batched: false, alone: true }, { batched: false, alone: false }, { batched: true, alone: true }, { batched: true, alone: false }]
const before_ms = 4_000
const drawn_ms = 5_000
const finish_s = 60

/**
 * kill -9 in the middle of the national rate, four times, at moments drawn from the seed: of the server alone, and
 * of the server with its database in the same moment. The phones send again what they have no receipt for. Then
 * what is stored is held against what was acknowledged.
 */
export async function killRounds(folder: string, generator: Generator, plan: { readonly single: LoadPlan; readonly batched: LoadPlan; readonly rate_per_s: number; readonly seed: number }): Promise<{ lost: number; doubled: number }> {
  const random = seeded(plan.seed)
  let server: Running | null = await start(folder, generator)
  try {
    for (const { batched, alone } of rounds) {
      const load = batched ? plan.batched : plan.single
      const running = generator.run(load, { rate_per_s: plan.rate_per_s / load.samples, seconds: (before_ms + drawn_ms) / 1000 + 5, keepAcks: true })
      await pause(before_ms + drawn_ms * random())
      await server.kill(alone)
      server = null
      const { receipts, broken, unanswered } = await running
      process.stderr.write(`killed ${alone ? 'alone' : 'with its database'} after ${receipts.accepted} reports (${receipts.duplicates} sent again had been stored), ${broken} requests under way; ${unanswered} to be sent again\n`)
      server = await start(folder, generator)
    }
    const { receipts, unanswered } = await generator.finish(finish_s)
    process.stderr.write(`of the last ${receipts.duplicates + receipts.accepted} sent again ${receipts.duplicates} had been stored\n`)
    await server.stop()
    server = null
    const found = audit(await generator.acks(), await readStored(folder))
    process.stderr.write(`${found.acknowledged} reports acknowledged through the kills: lost ${found.lost}, doubled ${found.doubled}${unanswered > 0 ? `; ${unanswered} REQUESTS STILL WITHOUT AN ANSWER` : ''}\n`)
    return { lost: unanswered > 0 ? NaN : found.lost, doubled: found.doubled }
  } finally {
    await server?.stop()
  }
}

async function start(folder: string, generator: Generator): Promise<Running> {
  const started = performance.now()
  const server = await serve(folder, await freePort())
  await generator.connect(server.port)
  process.stderr.write(`serving after ${((performance.now() - started) / 1000).toFixed(1)} s\n`)
  return server
}
