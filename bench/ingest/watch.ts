import { get } from 'node:http'
import type { Running } from './processes.ts'

/** What is seen of a server from outside, each second. */
interface Look { readonly rss_mb: number; /** NaN while there is no such gauge. */ readonly detectionLag_s: number }

export interface Watch {
  /** All looks since the last call. */
  take(): readonly Look[]
  /** Bytes that the console's feed has sent. */
  feedBytes(): number
  stop(): Promise<void>
}

const each_ms = 1_000
const gauge = (text: string, name: string): number => Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(text)?.[1] ?? NaN)

/** Reports that the server counts as kept, and disturbances that it has open; NaN where it does not say. */
export async function askCounts(port: number): Promise<{ readonly kept: number; readonly disturbances: number }> {
  const text = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text()
  return { kept: gauge(text, 'kawal_reports_total'), disturbances: gauge(text, 'kawal_disturbances_open') }
}

/** Follows the live feed as a console of the ministry does, and reads memory and the measure of detection's lag each second. */
export async function watchServer(server: Running, apiKey: string): Promise<Watch> {
  let looks: Look[] = []
  let bytes = 0
  const feed = await new Promise<ReturnType<typeof get>>((resolve, reject) => {
    const request = get({ host: '127.0.0.1', port: server.port, path: '/v1/live', headers: { authorization: `Bearer ${apiKey}`, accept: 'text/event-stream' } }, (answer) => {
      if (answer.statusCode !== 200) return reject(new Error(`the console's feed answers ${answer.statusCode}`))
      answer.on('data', (chunk: Buffer) => (bytes += chunk.length))
      resolve(request)
    })
    request.on('error', reject)
  })
  let looking: Promise<void> | null = null
  const look = async (): Promise<void> => {
    const text = await (await fetch(`http://127.0.0.1:${server.port}/metrics`)).text()
    looks.push({ rss_mb: server.rss_mb(), detectionLag_s: gauge(text, 'kawal_detection_lag_seconds') })
  }
  const timer = setInterval(() => (looking ??= look().catch((error: unknown) => void process.stderr.write(`a look at the server failed: ${String(error)}\n`)).finally(() => (looking = null))), each_ms)
  return {
    take() {
      const taken = looks
      looks = []
      return taken
    },
    feedBytes: () => bytes,
    async stop() {
      clearInterval(timer)
      await looking
      feed.destroy()
    },
  }
}
