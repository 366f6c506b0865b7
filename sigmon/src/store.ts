import type { Sample } from '@kawal/contract/report.ts'
import type { Kept } from './session.ts'

/** A sample on the phone's disk. */
export interface Row extends Kept {
  /** `kept`: a check that was asked for, the start or end of an outage, a goodbye. It is never thinned. */
  readonly kind: 'routine' | 'kept'
  /** Under which identity it was measured, and is sent. */
  readonly identity: string
}

const names = ['about', 'samples', 'packs', 'outbox', 'recaps', 'photos'] as const
type Name = (typeof names)[number]
type At = (name: Name) => IDBObjectStore

/**
 * The phone's own store. Each transaction asks for strict durability: it is complete when it is on disk, where
 * the browser knows how (Chromium since 83, Safari, Firefox since 126); nothing better exists elsewhere.
 */
export interface Store {
  /** One transaction; resolves when it is complete, with what was given to `done`. Rejects with the DOMException of the failure. */
  run<T>(at: readonly Name[], mode: 'readonly' | 'readwrite', work: (at: At, done: (value: T) => void) => void): Promise<T>
  read<T>(key: string): Promise<T | undefined>
  /** All or none of them. */
  write(entries: Readonly<Record<string, unknown>>): Promise<void>
  close(): void
}

export const resultOf = <T>(event: Event): T => (event.target as IDBRequest<T>).result

/** Nothing can be kept before there is room again. */
export const isFull = (error: unknown): boolean => error instanceof DOMException && error.name === 'QuotaExceededError'

export async function openStore(factory: IDBFactory, name = 'sigmon'): Promise<Store> {
  let opened: Promise<IDBDatabase> | null = null
  const database = (): Promise<IDBDatabase> => {
    opened ??= open(factory, name, () => (opened = null)).catch((error: unknown) => {
      opened = null
      throw error
    })
    return opened
  }
  await database()
  const store: Store = {
    async run(at, mode, work) {
      const transaction = await begin(database, at, mode, () => (opened = null))
      return new Promise((resolve, reject) => {
        let result: Parameters<Parameters<typeof work>[1]>[0]
        transaction.oncomplete = () => resolve(result)
        transaction.onabort = () => reject(transaction.error ?? new DOMException('the transaction was ended', 'AbortError'))
        work((wanted) => transaction.objectStore(wanted), (value) => (result = value))
      })
    },
    read: (key) => store.run(['about'], 'readonly', (at, done) => {
      at('about').get(key).onsuccess = (event) => done(resultOf(event))
    }),
    write: (entries) => store.run(['about'], 'readwrite', (at) => {
      for (const [key, value] of Object.entries(entries)) at('about').put(value, key)
    }),
    close() {
      void opened?.then((open) => open.close(), () => undefined)
      opened = null
    },
  }
  return store
}

/** A browser may close the database under us (cleared data, low memory): it is opened once more. */
async function begin(database: () => Promise<IDBDatabase>, at: readonly Name[], mode: 'readonly' | 'readwrite', gone: () => void): Promise<IDBTransaction> {
  try {
    return (await database()).transaction([...at], mode, { durability: 'strict' })
  } catch (error) {
    if (!(error instanceof DOMException && error.name === 'InvalidStateError')) throw error
    gone()
    return (await database()).transaction([...at], mode, { durability: 'strict' })
  }
}

function open(factory: IDBFactory, name: string, closed: () => void): Promise<IDBDatabase> {
  return new Promise((resolve, reject) => {
    const request = factory.open(name, 3)
    request.onupgradeneeded = ({ oldVersion }) => upgrade(request, oldVersion)
    request.onerror = () => reject(request.error)
    request.onsuccess = () => {
      const database = request.result
      database.onclose = closed
      // A newer version of the app in another tab must not wait for this one.
      database.onversionchange = () => {
        database.close()
        closed()
      }
      resolve(database)
    }
  })
}

interface FirstIdentity { readonly device: string; readonly token: string; readonly station: unknown; readonly sim: string | null }

/** From nothing, or from an earlier version, whose samples wait still. */
function upgrade({ result: database, transaction }: IDBOpenDBRequest, from: number): void {
  if (transaction === null) throw new Error('an upgrade has a transaction')
  if (from < 1) {
    database.createObjectStore('about')
    database.createObjectStore('samples', { keyPath: 'sequence' }).createIndex('state', 'state')
  }
  if (from < 3) {
    database.createObjectStore('recaps', { keyPath: 'hash' })
    database.createObjectStore('photos')
  }
  if (from >= 2) return
  database.createObjectStore('packs', { keyPath: 'district' })
  database.createObjectStore('outbox', { keyPath: 'id' })
  const samples = transaction.objectStore('samples')
  samples.createIndex('turn', ['identity', 'state', 'kind', 'sequence'])
  if (from !== 1) return
  const about = transaction.objectStore('about')
  about.get('identity').onsuccess = (event) => {
    const first = resultOf<FirstIdentity | undefined>(event)
    if (first === undefined) return
    about.put([{ id: 'first', station: first.station, code: null, device: first.device, token: first.token, refusal: null }], 'identities')
    about.put({ sim: first.sim }, 'choices')
    about.delete('identity')
  }
  samples.openCursor().onsuccess = (event) => {
    const cursor = resultOf<IDBCursorWithValue | null>(event)
    if (cursor === null) return
    // What it was kept for is not known any more: it is not thinned.
    cursor.update({ ...(cursor.value as Kept), kind: 'kept', identity: 'first' } satisfies Row)
    cursor.continue()
  }
}

/** A sample before it has its number. */
export type Draft = Omit<Sample, 'sequence'>
