/**
 * What requests cost at the socket, bytes both ways. The figures round up what e2e/budget.test.ts measures in
 * Chromium through a counting proxy; the test fails where one of them is too small.
 *
 * A handshake is that of TLS 1.3 with a hybrid key share (about 2 kB up, 1.2 kB down) and a chain of three
 * certificates (4 kB); a resumed one costs a third. Per mille: TCP, IP and TLS add about 4 % to a full packet,
 * which no socket sees and a data plan counts.
 */
const http1_bytes = 1_100
const http2_bytes = 350
const handshake_bytes = 8_000
const packets_share = 1.06

/** Where somebody else answers in place of the platform, what may be under way before the page hangs up. */
export const stranger_bytes = 32_000

interface Bodies { readonly up?: number; readonly down?: number }

const secured = (url: string): number => (url.startsWith('https:') ? handshake_bytes : 0)

/**
 * The most that one request can cost: two handshakes, since a browser opens a second connection beside a slow
 * one, and head and body of the request twice, since it sends them again where a kept connection was cut.
 */
export const costAtMost = (url: string, { up = 0, down = 0 }: Bodies = {}): number => Math.ceil(2 * (secured(url) + http1_bytes + up * packets_share) + down * packets_share)

/** No answer can have come over a phone's network so soon: at most the browser's hello and the request went out. */
const round_trip_ms_least = 10
const hello_bytes = 3_000
/** Beside a connection that takes this long the browser opens a second one. */
export const second_connection_ms = 250

/** The most that a request has cost which failed, or was given up, after so long. */
export const costOfFailed = (url: string, ms: number, bodies: Bodies = {}): number =>
  ms < round_trip_ms_least ? hello_bytes : ms < second_connection_ms ? Math.ceil(costAtMost(url, bodies) - secured(url)) : costAtMost(url, bodies)

/** What so many answered requests cost over one new connection. */
export const costOnce = (url: string, { up = 0, down = 0 }: Bodies, requests: number): number => Math.ceil(secured(url) + requests * (http1_bytes + (up + down) * packets_share))

/** What one answered request has cost, by its Resource Timing entry; without one, the most that it can. */
export function costOf(url: string, entry: PerformanceResourceTiming | undefined, { up = 0, down = 0 }: Bodies = {}): number {
  if (entry === undefined || entry.requestStart === 0) return costAtMost(url, { up, down })
  const head = entry.nextHopProtocol === 'h2' || entry.nextHopProtocol === 'h3' ? http2_bytes : http1_bytes
  const anew = isAnew(entry)
  return Math.ceil((anew ? 2 : 1) * (head + up * packets_share) + (anew ? secured(url) : 0) + down * packets_share)
}

/** Whether the connection was made for this request. */
export const isAnew = (entry: PerformanceResourceTiming): boolean => entry.connectEnd > entry.connectStart

/** A WebSocket: its handshakes, what it carried with its frames, and its text. Measurement messages come both ways in little. */
export const socketAtMost = (url: string, carried: number, text_bytes: number): number => Math.ceil(costAtMost(url.replace(/^ws/, 'http')) + (carried + text_bytes) * packets_share + frames_bytes)
const frames_bytes = 5_000
/** Ten seconds of four measurements a second, of three quarters of a kilobyte. */
const texts_bytes = 30_000

/** What a full test may cost: said before it begins. */
export const fullTestAtMost = (origin: string, cap_bytes: number): number =>
  costAtMost(origin, { down: 4_000 }) + 2 * socketAtMost(origin, Math.ceil(cap_bytes / 2), texts_bytes)
