/** Asks another party over HTTP. @returns its answer, whatever it says; rejects where none came in time, `ms` for all of it */
export type Reach = (url: string, init: Readonly<RequestInit>, ms: number) => Promise<Response>

export const reach: Reach = (url, init, ms) => fetch(url, { ...init, redirect: 'error', signal: AbortSignal.timeout(ms) })
