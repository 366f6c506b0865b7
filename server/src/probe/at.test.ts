import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { duplexPair, type Duplex } from 'node:stream'
import { test } from 'node:test'
import { speak, type Answers } from '@kawal/testkit/modem-manager.ts'
import { createAt, readAt } from './at.ts'
import { openSerial } from './serial.ts'

const lte = {
  'E0': '', '+CPIN?': '+CPIN: READY', '+COPS=3,2': '', '+COPS?': '+COPS: 0,2,"51010",7', '+C5GREG=2': 'ERROR', '+C5GREG?': 'ERROR',
  '+CEREG?': '+CEREG: 2,1,"1A2B","01A2B3C4",7', '+CESQ': '+CESQ: 99,99,255,255,20,40', '+CSQ': '+CSQ: 15,99',
}
const now = (): number => Date.UTC(2029, 1, 14)

/** A modem on the other end of a pair of streams. */
function modem(answers: Record<string, string>): { line: Duplex; answers: Answers; asked: string[]; pullOut(): void } {
  const [line, far] = duplexPair()
  const asked: string[] = []
  const known: Answers = new Map(Object.entries(answers))
  far.on('data', (part: Buffer) => asked.push(...part.toString().split('\r').filter((command) => command !== '')))
  speak(far, known)
  return { line, answers: known, asked, pullOut: () => void line.destroy() }
}
const values = async (answers: Record<string, string>): Promise<unknown[]> => {
  const reading = await readAt(modem(answers).line, now, 300)
  const cell = reading.slots[0]?.cells[0]
  return [reading.gap, reading.slots[0]?.plmn ?? null, cell?.registered, cell?.technology, cell?.rsrpDbm, cell?.rsrqDb, cell?.sinrDb, cell?.rscpDbm, cell?.rssiDbm, cell?.tac ?? cell?.lac]
}

test('a modem in each kind of network gives its values, and is never asked who it is', async () => {
  const { line, asked } = modem(lte)
  assert.deepEqual((await readAt(line, now, 300)).slots[0]?.cells[0]?.cellId, 0x1a2b3c4)
  assert.doesNotMatch(asked.join(), /CIMI|CGSN|GSN|CNUM|CCID|ATI/)
  assert.deepEqual(await values(lte), [null, '51010', true, 'lte', -101, -10, null, null, -83, 0x1a2b])
  assert.deepEqual(await values({ ...lte, '+C5GREG?': '+C5GREG: 2,1,"00001A","0000000C1",11', '+COPS?': '+COPS: 0,2,"51010",11', '+CESQ': '+CESQ: 99,99,255,255,255,255,63,80,60' }), [null, '51010', true, 'nr', -77, -12, 6.5, null, -83, 0x1a])
  assert.deepEqual(await values({ ...lte, '+CEREG?': '+CEREG: 2,0', '+CGREG?': '+CGREG: 2,1,"00F1","0001A2B3",0', '+COPS?': '+COPS: 0,2,"51001",0', '+CESQ': '+CESQ: 22,0,255,255,255,255' }), [null, '51001', true, 'gsm', null, null, null, null, -89, 0xf1])
  assert.deepEqual(await values({ ...lte, '+CEREG?': 'ERROR', '+CREG?': '+CREG: 2,1,"00F1","0001A2B3",2', '+COPS?': '+COPS: 0,2,"50212",2', '+CESQ': '+CESQ: 99,99,30,29,255,255' }), [null, '50212', true, 'umts', null, null, null, -91, -83, 0xf1])
})

test('an old modem without +CESQ, one without a SIM, one without a network', async () => {
  assert.deepEqual((await values({ ...lte, '+CESQ': 'ERROR' })).slice(0, 5), [null, '51010', true, 'lte', null])
  assert.deepEqual((await values({ ...lte, '+CPIN?': '+CME ERROR: 10' }))[0], 'no_sim')
  assert.deepEqual((await values({ ...lte, '+CEREG?': '+CEREG: 2,2', '+COPS?': '+COPS: 0', '+CESQ': '+CESQ: 99,99,255,255,255,255', '+CSQ': '+CSQ: 99,99' })).slice(0, 3), [null, null, undefined])
})

test('a modem that is silent from the start or falls silent, or is pulled out, ends the reading in time', async () => {
  for (const command of ['E0', '+COPS?', '+CESQ', '+CSQ']) {
    const began = performance.now()
    const reading = await readAt(modem({ ...lte, [command]: 'SILENT' }).line, now, 200)
    assert.ok(performance.now() - began < 700, `${command}: ${performance.now() - began} ms`)
    assert.equal(reading.gap, command === '+CSQ' ? null : 'no_answer', command)
  }
  const { line, answers, pullOut } = modem(lte)
  answers.set('+CEREG?', 'SILENT')
  const reading = readAt(line, now, 5_000)
  setImmediate(pullOut)
  assert.equal((await reading).gap, 'no_answer')
  assert.equal((await readAt(line, now, 5_000)).gap, 'no_answer', 'and stays gone')
})

test('a flood without an end is cut off; the answer after noise is found', async () => {
  const [line, far] = duplexPair()
  const { ask } = createAt(line)
  far.once('data', () => {
    for (let flood = 0; flood < 40; flood++) far.write('x'.repeat(1_000))
    far.write('\r\n+CESQ: 99,99,255,255,20,40\r\n\r\nOK\r\n')
  })
  const reply = await ask('AT+CESQ', 1_000)
  assert.ok(reply.outcome === 'ok' && reply.text.length <= 8_192 && /20,40/.test(reply.text))
  assert.equal((await ask('AT', 50)).outcome, 'silent')
})

const hasPython = spawnSync('python3', ['-c', 'import pty'], { stdio: 'ignore' }).status === 0

test('the same over a serial port of the system, opened again after it was gone', { skip: hasPython ? false : 'SKIPPED: python3 is not there to make a pseudo-terminal' }, async () => {
  const program = 'import os,pty,sys,tty,threading\nm,s=pty.openpty()\ntty.setraw(m)\nprint(os.ttyname(s),flush=True)\ndef up():\n  while True:\n    d=os.read(m,500)\n    sys.stdout.buffer.write(d);sys.stdout.buffer.flush()\nthreading.Thread(target=up,daemon=True).start()\nwhile True:\n  d=os.read(0,500)\n  if not d: break\n  os.write(m,d)'
  for (let round = 0; round < 2; round++) {
    const child = spawn('python3', ['-u', '-c', program], { stdio: ['pipe', 'pipe', 'inherit'] })
    const path = await new Promise<string>((resolve) => child.stdout.once('data', (first: Buffer) => resolve(first.toString().trim())))
    speak({ on: (event: string, told: (part: Buffer) => void) => child.stdout.on(event, told), write: (text: string) => child.stdin.write(text) } as unknown as NodeJS.ReadWriteStream, new Map(Object.entries(lte)))
    const port = openSerial(path)
    assert.ok(typeof port !== 'string', String(port))
    assert.deepEqual((await readAt(port, now, 3_000)).slots[0]?.cells[0]?.rsrpDbm, -101)
    const over = new Promise((resolve) => child.once('exit', resolve))
    child.kill('SIGKILL')
    await over
    assert.equal((await readAt(port, now, 3_000)).gap, 'no_answer')
    port.destroy()
  }
  assert.match(String(openSerial('/dev/null')), /no serial port/)
  assert.match(String(openSerial('/dev/ttyKAWAL')), /not plugged in/)
})
