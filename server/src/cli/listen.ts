import { readFileSync } from 'node:fs'
import { CommandFailure, exits } from './exits.ts'
import { onInterrupt } from './interrupt.ts'
import type { Options } from './options.ts'

const loopback = ['127.0.0.1', '::1', 'localhost']

/** Where to listen: on loopback, or with a certificate. */
export function listenOn(options: Options): { readonly host: string; readonly tls: { cert: Buffer; key: Buffer } | undefined } {
  const host = options['host'] ?? '127.0.0.1'
  const tls = readTls(options['cert'], options['key'])
  if (tls === undefined && !loopback.includes(host))
    throw new CommandFailure(exits.refused, `Without certificate files the server answers on loopback only, not on ${host}. Give --cert and --key, or end TLS in front.`)
  return { host, tls }
}

/** Runs each turn at once and then this often, never twice at once, until SIGINT or SIGTERM. */
export function untilStopped(turns: readonly { readonly every_ms: number; readonly turn: () => Promise<void> }[], failed: (error: unknown) => void): Promise<void> {
  return new Promise((resolve) => {
    const running = turns.map(({ every_ms, turn }) => {
      let turning: Promise<void> | null = null
      const begin = (): void => void (turning ??= turn().catch(failed).finally(() => (turning = null)))
      const timer = setInterval(begin, every_ms)
      begin()
      return (): Promise<void> => (clearInterval(timer), turning ?? Promise.resolve())
    })
    onInterrupt(() => void Promise.all(running.map((stop) => stop())).then(() => resolve()))
  })
}

function readTls(cert: string | undefined, key: string | undefined): { cert: Buffer; key: Buffer } | undefined {
  if (cert === undefined && key === undefined) return undefined
  if (cert === undefined || key === undefined) throw new CommandFailure(exits.usage, 'Give both --cert and --key.')
  try {
    return { cert: readFileSync(cert), key: readFileSync(key) }
  } catch (error) {
    throw new CommandFailure(exits.rejected, `The certificate files cannot be read: ${(error as Error).message}`)
  }
}
