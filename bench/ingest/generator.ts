import { readFileSync } from 'node:fs'
import { createFire, type Shots } from './fire.ts'
import { createLoadSource, type LoadPlan, type Receipts } from './load.ts'
import { createPhones } from './phones.ts'

/** What the bench asks of its generator: one question at a time, each answered by one message. */
export type Ask =
  | { readonly ask: 'phones'; readonly stationsFile: string; readonly secret: string; readonly count: number; readonly connections: number }
  | { readonly ask: 'connect'; readonly port: number }
  | { readonly ask: 'run'; readonly load: LoadPlan; readonly rate_per_s: number | null; readonly seconds: number; readonly keepAcks: boolean }
  /** Sends what was not acknowledged, and nothing else. */
  | { readonly ask: 'finish'; readonly seconds: number }
  | { readonly ask: 'acks' }

export interface Run extends Shots {
  readonly receipts: Receipts
  readonly unanswered: number
  /** The generator's own, user and system. */
  readonly cpu_s: number
}

type Fire = ReturnType<typeof createFire>

/** A generator in a process of its own: it shares no thread with what it measures. */
function listen(): void {
  let load: ReturnType<typeof createLoadSource> | null = null
  let fire: Fire | null = null
  let connections = 0
  const ready = (): { load: ReturnType<typeof createLoadSource>; fire: Fire } => {
    if (load === null || fire === null) throw new Error('phones and connections come first')
    return { load, fire }
  }
  async function shoot(plan: { readonly rate_per_s: number | null; readonly seconds: number }): Promise<Run> {
    const { load, fire } = ready()
    const before = process.cpuUsage()
    const shots = await fire.run(plan)
    const { user, system } = process.cpuUsage(before)
    return { ...shots, receipts: load.receipts(), unanswered: load.unanswered(), cpu_s: (user + system) / 1e6 }
  }
  async function answer(message: Ask): Promise<unknown> {
    switch (message.ask) {
      case 'phones': {
        ;({ connections } = message)
        load = createLoadSource(createPhones({ stations: readFileSync(message.stationsFile), secret: Buffer.from(message.secret, 'hex'), count: message.count }), connections, Date.now)
        return null
      }
      case 'connect':
        fire?.close()
        if (load === null) throw new Error('phones come first')
        fire = createFire({ port: message.port, connections, source: load.source })
        await fire.open()
        return null
      case 'run':
        ready().load.begin(message.load, message.keepAcks)
        return shoot(message)
      case 'finish':
        ready().load.finish()
        return shoot({ rate_per_s: null, seconds: message.seconds })
      case 'acks':
        return ready().load.acks()
    }
  }
  process.on('message', (message: Ask) => {
    answer(message).then((value) => {
      process.send?.({ value })
    }, (error: unknown) => {
      process.stderr.write(`generator: ${String(error instanceof Error ? error.stack : error)}\n`)
      process.exit(1)
    })
  })
  // Who asked is gone, or has heard enough.
  process.on('disconnect', () => process.exit())
}

listen()
