import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import fc from 'fast-check'
import { parseCesq, parseCops, parseCsq, parseRegistration } from './radio.ts'

const suite = join(import.meta.dirname, '../../../shared/suites/radio/cesq-oracle.json')
interface Oracle { readonly cesq: string; readonly lte: { readonly rsrp: string; readonly rsrq: string }; readonly umts: { readonly rscp: string; readonly ecio: string }; readonly gsm_rssi: string; readonly stale: boolean }

test('+CESQ is exactly what ModemManager reports, but for what it kept of an answer before', { skip: existsSync(suite) ? false : 'SKIPPED: ../shared/suites/radio is not there' }, () => {
  const rows = JSON.parse(readFileSync(suite, 'utf8')) as Oracle[]
  assert.ok(rows.length >= 12 && rows.some((row) => row.stale), 'the suite was read')
  const told = (text: string, stale: boolean): number | null => (stale || text === '--' ? null : Number(text))
  for (const row of rows) {
    const read = parseCesq(`+CESQ: ${row.cesq}\r\n\r\nOK\r\n`)
    assert.deepEqual(
      [read?.rsrpDbm, read?.rsrqDb, read?.rscpDbm, read?.ecioDb, read?.rssiDbm],
      [row.lte.rsrp, row.lte.rsrq, row.umts.rscp, row.umts.ecio, row.gsm_rssi].map((text) => told(text, row.stale)), row.cesq)
  }
})

test('each table of +CESQ and +CSQ at its ends, one past them, and unknown', () => {
  const at = (place: number, index: number | string): string => `+CESQ: ${[99, 99, 255, 255, 255, 255, 255, 255, 255].map((unknown, each) => (each === place ? index : unknown)).join()}`
  for (const [place, name, last, first_value, last_value] of [
    [0, 'rssiDbm', 63, -111, -48], [2, 'rscpDbm', 96, -121, -25], [3, 'ecioDb', 49, -24.5, 0], [4, 'rsrqDb', 34, -20, -3], [5, 'rsrpDbm', 97, -141, -44],
    [6, 'ssRsrqDb', 127, -43.5, 20], [7, 'ssRsrpDbm', 126, -157, -31], [8, 'ssSinrDb', 127, -23.5, 40],
  ] as const) {
    const read = (index: number | string): unknown[] => [parseCesq(at(place, index))?.[name], parseCesq(at(place, index))?.censored[name]]
    assert.deepEqual(read(0), [first_value, 'below'], name)
    assert.deepEqual(read(last), [last_value, 'above'], name)
    assert.deepEqual(read(1)[1], undefined, name)
    for (const wrong of [last + 1, 255, -1, '', 'x', 1.5, '0x1', 9999]) assert.deepEqual(read(wrong), [null, undefined], `${name} ${wrong}`)
  }
  assert.deepEqual(parseCsq('+CSQ: 0,99'), { rssiDbm: -113, censored: { rssiDbm: 'below' } })
  assert.deepEqual(parseCsq('+CSQ: 31,0'), { rssiDbm: -51, censored: { rssiDbm: 'above' } })
  assert.deepEqual(parseCsq('+CSQ: 15,99'), { rssiDbm: -83, censored: {} })
  // 100 to 199 are of TD-SCDMA, which no network here has
  for (const index of [32, 99, 100, 199, -1]) assert.equal(parseCsq(`+CSQ: ${index},99`)?.rssiDbm, null)
})

test('echo, spaces, OK and lines that came in between do no harm; an error is no answer', () => {
  const plain = parseCesq('+CESQ: 99,99,255,255,20,40')
  for (const text of ['AT+CESQ\r\r\n+CESQ: 99,99,255,255,20,40\r\n\r\nOK\r\n', '+CESQ:99 , 99,255,  255,20,40  ', '+CREG: 1\r\n+CESQ: 99,99,255,255,20,40\r\nRING\r\n', 'at+cesq\n+cesq: 99,99,255,255,20,40,255,255,255\nOK'])
    assert.deepEqual(parseCesq(text), plain, text)
  for (const text of ['', 'OK', 'ERROR', '+CME ERROR: 3', '+CME ERROR: operation not supported', 'AT+CESQ', '+CESQ: 99,99,255', '+CSQ: 1,2']) assert.equal(parseCesq(text), null, text)
  assert.deepEqual(Object.values(parseCesq('+CESQ: (0-63,99),(0-7,99),(0-96,255),(0-49,255),(0-34,255),(0-97,255)') ?? {}).filter((value) => typeof value === 'number'), [], 'the list of what is supported is no measurement')
  assert.equal(parseCesq('+CESQ: 99,99,255,255,20,40\r\n+CESQ: 99,99,255,255,20,50')?.rsrpDbm, -91, 'the last answer counts')
})

test('network and registration', () => {
  assert.deepEqual(parseCops('+COPS: 0,2,"51010",7'), { plmn: '51010', technology: 'lte' })
  assert.deepEqual(parseCops('+COPS: 0,2,"310410",12'), { plmn: '310410', technology: 'nr' })
  assert.deepEqual(parseCops('+COPS: 0,0,"TELKOMSEL",7'), { plmn: null, technology: 'lte' })
  assert.deepEqual(parseCops('+COPS: 0'), { plmn: null, technology: null })
  assert.deepEqual(parseRegistration('+CEREG: 2,1,"1A2B","01A2B3C4",7'), { registered: true, area: 0x1a2b, cellId: 0x1a2b3c4, technology: 'lte' })
  assert.deepEqual(parseRegistration('+CEREG: 5,"1A2B","01A2B3C4",7'), { registered: true, area: 0x1a2b, cellId: 0x1a2b3c4, technology: 'lte' })
  assert.deepEqual(parseRegistration('+C5GREG: 2,1,"00001A","0000000C1",11'), { registered: true, area: 0x1a, cellId: 0xc1, technology: 'nr' })
  assert.deepEqual(parseRegistration('+CREG: 0,2'), { registered: false, area: null, cellId: null, technology: null })
  assert.equal(parseRegistration('+CME ERROR: 10'), null)
})

test('whatever a modem says nothing throws, and no value lies outside its table', () => {
  const line = fc.array(fc.oneof(fc.integer({ min: -2, max: 300 }).map(String), fc.string({ maxLength: 6 })), { maxLength: 12 }).map((fields) => fields.join(','))
  const text = fc.oneof(fc.string(), fc.tuple(fc.constantFrom('+CESQ:', '+CSQ: ', '+COPS: ', '+CEREG: ', 'AT+CESQ\r\n+CESQ: '), line).map((parts) => parts.join('')))
  fc.assert(fc.property(text, (given) => {
    const cesq = parseCesq(given)
    for (const [name, least, most] of [['rssiDbm', -111, -48], ['rscpDbm', -121, -25], ['ecioDb', -24.5, 0], ['rsrqDb', -20, -3], ['rsrpDbm', -141, -44], ['ssRsrqDb', -43.5, 20], ['ssRsrpDbm', -157, -31], ['ssSinrDb', -23.5, 40]] as const) {
      const value = cesq?.[name] ?? null
      assert.ok(value === null || (value >= least && value <= most && Number.isInteger(value * 2)), `${name} ${value}`)
    }
    const rssi = parseCsq(given)?.rssiDbm ?? null
    assert.ok(rssi === null || (rssi >= -113 && rssi <= -51))
    parseCops(given)
    const cell = parseRegistration(given)?.cellId ?? null
    assert.ok(cell === null || (cell >= 0 && cell < 2 ** 36))
  }), { numRuns: 2_000 })
})
