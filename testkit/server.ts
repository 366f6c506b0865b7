import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pino from 'pino'
import { startApp, type App } from '@kawal/server/src/app.ts'
import type { RecapSettings } from '@kawal/server/src/recap/open.ts'
import { addApiKey } from '@kawal/server/src/organisation/sessions.ts'
import { withDatabase, type TestDatabase } from './postgres.ts'

/** Whose key a test asks with; each has the one role of its kind. */
const asked = ['komdigi', 'kpu', 'bawaslu', 'apjii', 'telkomsel', 'bakti', 'dinas'] as const
export type Asked = (typeof asked)[number]

export interface Answer<Body> { readonly status: number; readonly body: Body; readonly text: string; readonly type: string }

export interface TestServer {
  readonly kit: TestDatabase
  readonly app: App
  call<Body = { code: string; detail: string }>(as: Asked | { readonly token: string }, method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE', path: string, body?: unknown, accept?: string): Promise<Answer<Body>>
  close(): Promise<void>
}

/** The whole server over a database of its own, asked over HTTP with the keys of its organisations. */
export async function withServer(clock: () => number, seed: (kit: TestDatabase) => Promise<void>, { recaps, ...more }: Omit<Partial<Parameters<typeof startApp>[0]>, 'recaps'> & { readonly recaps?: Partial<RecapSettings> } = {}): Promise<TestServer> {
  const kit = await withDatabase()
  const folder = mkdtempSync(join(tmpdir(), 'kawal-ledger-'))
  // What was begun is ended where the rest fails: an open database would hold the test's process.
  const app = await seed(kit).then(() => startApp({ ownerUrl: kit.ownerUrl, appPassword: 'test', clock, host: '127.0.0.1', port: 0, rehearsal: true, log: pino({ level: 'error' }, pino.destination(2)), recaps: { folder: join(folder, 'ledger'), photos: join(folder, 'photos'), origin: 'kawal.example/ledger', ...recaps }, ...more })).catch(async (error: unknown) => {
    await kit.close()
    rmSync(folder, { recursive: true, force: true })
    throw error
  })
  const close = async (): Promise<void> => {
    await app.stop()
    await kit.close()
    rmSync(folder, { recursive: true, force: true })
  }
  const keys = new Map<string, string>()
  try {
    for (const organisation of asked) keys.set(organisation, await addApiKey(app.database, organisation, clock()))
  } catch (error) {
    await close()
    throw error
  }
  return {
    kit, app, close,
    async call(as, method, path, body, accept) {
      const token = typeof as === 'string' ? keys.get(as) : as.token
      const answer = await fetch(app.url + path, {
        method, headers: { authorization: `Bearer ${token}`, ...(accept === undefined ? {} : { accept }), ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      })
      const text = await answer.text()
      const type = answer.headers.get('content-type') ?? ''
      return { status: answer.status, body: (type.includes('json') ? JSON.parse(text) : null) as never, text, type }
    },
  }
}
