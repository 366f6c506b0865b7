import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { missingForModemManager, startModemManager, type Answers, type SimulatedBus } from '@kawal/testkit/modem-manager.ts'
import { readModemManager } from './modem-manager.ts'

const imei = '350000000000006'
const imsi = '510101234567890'
const number = '+6281200000000'
const answers: Answers = new Map(Object.entries({
  '+CPIN?': '+CPIN: READY', '+CFUN?': '+CFUN: 1', '+COPS?': '+COPS: 0,2,"51010",7', '+COPS=3,2;+COPS?': '+COPS: 0,2,"51010",7', '+COPS=3,0;+COPS?': '+COPS: 0,0,"TELKOMSEL",7',
  '+CESQ=?': '+CESQ: (0-63,99),(0-7,99),(0-96,255),(0-49,255),(0-34,255),(0-97,255)', '+CESQ': '+CESQ: 99,99,255,255,20,40', '+CSQ': '+CSQ: 15,99',
  '+CREG?': '+CREG: 2,1,"1A2B","01A2B3C4",7', '+CGREG?': '+CGREG: 2,1,"1A2B","01A2B3C4",7', '+CEREG?': '+CEREG: 2,1,"1A2B","01A2B3C4",7',
  '+CIMI': imsi, '+CGSN': imei, '+GSN': imei, '+CNUM': `+CNUM: "","${number}",145`, '+CGMI': 'Simulated', '+CGMM': 'Modem', '+CGMR': '1',
  '+GCAP': '+GCAP: +CGSM,+DS,+ES', '+WS46=?': '+WS46: (28,31)', '+CLCK=?': '+CLCK: ("SC")', '+CLCK="SC",2': '+CLCK: 0', '+CGDCONT=?': '+CGDCONT: (1-11),"IP",,,(0-2),(0-4)', '+CGDCONT?': '+CGDCONT: 1,"IP","internet"',
  '+CRSM=176,28589,0,0,4': '+CRSM: 144,0,"00000002"',
}))

describe('the real ModemManager with a simulated modem', { skip: missingForModemManager() }, () => {
  let rig: SimulatedBus
  before(async () => (rig = await startModemManager(answers)))
  after(() => rig.close())
  const read = () => readModemManager(() => Date.UTC(2029, 1, 14), rig.address, 1_500)

  test('a modem that is switched off is a gap, one in LTE has its values, and nothing that names a person', async () => {
    await rig.known()
    const off = await read()
    assert.deepEqual([off.gap, off.slots[0]?.cells], ['modem_off', []])
    await rig.enable()
    const reading = await read()
    const [slot] = reading.slots
    assert.deepEqual([reading.source, reading.gap, slot?.dataSim, slot?.plmn], ['modem', null, true, '51010'])
    assert.match(reading.platform ?? '', /^ModemManager 1\./)
    const [cell] = slot?.cells ?? []
    assert.deepEqual([cell?.registered, cell?.technology, cell?.rsrpDbm, cell?.rsrqDb, cell?.cellId, cell?.invalid], [true, 'lte', -101, -10, 0x1a2b3c4, []])
    assert.doesNotMatch(JSON.stringify(reading), new RegExp(`${imei}|${imsi}|\\${number}`))
  })

  test('a value that the modem has no more is null, though ModemManager would go on showing it', async () => {
    await rig.poll(30) // another program has it shown all the time
    answers.set('+CESQ', '+CESQ: 99,99,255,255,20,50')
    assert.equal((await read()).slots[0]?.cells[0]?.rsrpDbm, -91)
    answers.set('+CESQ', '+CESQ: 99,99,255,255,255,255')
    assert.equal((await read()).slots[0]?.cells[0]?.rsrpDbm, null)
    answers.set('+CESQ', '+CESQ: 99,99,255,255,20,60')
    assert.equal((await read()).slots[0]?.cells[0]?.rsrpDbm, -81)
  })

  test('a modem that is pulled out is a gap, in time', async () => {
    await rig.unplug()
    const began = performance.now()
    const reading = await read()
    assert.ok(performance.now() - began < 15_000)
    assert.ok(reading.gap !== null || reading.slots.every((slot) => slot.cells.every((cell) => cell.rsrpDbm === null)), JSON.stringify(reading))
  })
})

test('without a bus there is no modem, and no wait', async () => {
  const reading = await readModemManager(() => 0, 'unix:path=/nowhere/bus')
  assert.deepEqual([reading.gap, reading.slots], ['no_modem', []])
})
